#version 330 core

uniform float time;
in vec2 uv;
out vec4 color;

struct Wave {
    float height;
    vec2 direction;
};

// The color of the foam on top of waves.
vec3 foamColor(Wave wave, vec2 at) {
    float crest = smoothstep(0.6, 1.0, wave.height * sin(dot(at, wave.direction) + time));
    return mix(vec3(0.0, 0.2, 0.4), vec3(1.0), crest);
}

void main() {
    color = vec4(foamColor(Wave(1.0, vec2(0.3, 0.7)), uv), 1.0);
}
