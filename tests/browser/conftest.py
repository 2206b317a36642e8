"""A JupyterLab of our own, and a browser that looks at it."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is on the page, in sight or not
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Folder and address of a running JupyterLab with nobody's settings but these."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (on Debian: apt-get install chromium)")
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    folder = tmp_path_factory.mktemp("lab")
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    env = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "RNN_REF_QUIET": "1",  # whether kernels were compiled before or not
    }
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token=", f"--notebook-dir={notebooks}"]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log)
    try:
        yield notebooks, _address(folder, server)
    finally:
        server.terminate()
        server.wait(30)


def _address(folder, server, seconds: int = 120) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        for path in (folder / "runtime").glob("jpserver-*.json"):
            try:
                return json.loads(path.read_text())["url"]
            except ValueError:  # half written
                pass
        time.sleep(0.2)
    raise RuntimeError(f"JupyterLab did not start:\n{(folder / 'log').read_text()}")


@pytest.fixture(scope="session")
def browser(lab, browser_alone):
    """Chromium without a window, beside a JupyterLab."""
    return browser_alone


@pytest.fixture(scope="session")
def browser_alone():
    """Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (on Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with api.sync_playwright() as playwright:
        # Containers, where tests run as root, give Chromium neither a sandbox nor enough shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield running
        running.close()


@pytest.fixture
def run_all(lab, browser, tmp_path):
    """``page = run_all("notebook.ipynb")``: open it from JupyterLab's folder, run all cells, wait for the last one."""
    _, address = lab
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(120_000)  # a busy machine takes its time

    def run(name: str, seconds: int = 300):
        page.goto(f"{address}lab/workspaces/{tmp_path.name}/tree/{name}")  # no tabs of other tests
        try:
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # cells run before that are lost
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            page.wait_for_function(FINISHED, timeout=1000 * seconds)
        finally:
            page.screenshot(path=tmp_path / "notebook.png")  # to see what went wrong
        errors = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
        assert errors.count() == 0, errors.all_inner_texts()
        return page

    yield run
    context.close()


# Every code cell with something in it has a number: it was run, and none is waiting ("[*]:").
FINISHED = """() => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')];
    const prompts = cells.map(cell => cell.querySelector('.jp-InputPrompt').textContent.trim());
    const failed = document.querySelector("[data-mime-type='application/vnd.jupyter.error']") !== null;
    return failed || (prompts.length > 0 && prompts.every(prompt => /^\\[\\d+\\]:$/.test(prompt)));
}"""
