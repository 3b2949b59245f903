// Filters of pictures.

typedef struct {
    int width;
    int height;
} size_type;

float weight_of(int distance)
{
    return exp(-0.5f * distance * distance);
}

// Blurs a picture by the neighbors of each pixel.
__kernel void blur_pixels(__global const float* in, __global float* out, int width)
{
    int i = get_global_id(0);
    out[i] = (in[i - 1] + in[i] + in[i + 1]) / 3.0f;
}
