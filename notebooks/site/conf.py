"""Settings of Sphinx; ``rnn-ref docs`` builds with them."""

import rnn_ref

project = "rnn_ref"
author = "the rnn_ref authors"
copyright = "the rnn_ref authors, MIT licence"
version = release = rnn_ref.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "rnn_ref.documentation.extension",
]
exclude_patterns = [".doctrees"]
html_theme = "furo"
html_title = f"rnn_ref {version}"
html_static_path = ["_static"]
html_extra_path = ["extra"]
html_show_search_summary = False  # of pages opened as files, browsers let nobody read others
html_css_files = ["site.css"]
html_math_renderer = "rnn_ref"  # MathML: nothing is loaded from elsewhere
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-code-background": "#f4f6f8"},
}
pygments_style = "xcode"
pygments_dark_style = "github-dark"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# The notebooks as they are stored; nothing is run.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# A type in words may happen to be the name of several attributes.
suppress_warnings = ["misc.highlighting_failure", "ref.python"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
nitpicky = True
nitpick_ignore_regex = [(r"py:(class|obj|data)", r"(?!rnn_ref\.).*")]  # types in words: "array", "list of str"
