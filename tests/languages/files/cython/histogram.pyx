# cython: boundscheck=False
import numpy as np
cimport numpy as np

cdef class Histogram:
    cdef long[256] levels

    # Counts how often each grey level comes in an image.
    cpdef void count_levels(self, unsigned char[:, :] image):
        cdef int x, y
        for y in range(image.shape[0]):
            for x in range(image.shape[1]):
                self.levels[image[y, x]] += 1

cdef inline double mean_level(long[256] levels):
    return 0.5

def equalize(image):
    return np.interp(image, [0, 255], [0, 255])
