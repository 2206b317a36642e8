"""The kernels for GPUs: in Numba's simulator, as PTX, and on hardware."""
