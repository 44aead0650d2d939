/**
 * Points in WebGL 2: one draw call for dimmed points and one for the others.
 *
 * Libraries of scatter plots on WebGL build code from strings while they run, which the page's
 * content security policy forbids; points alone need little.
 */

import { PALETTE_SIZE, type Rgb } from "../colours";
import { pointOpacity, pointSize, type Camera } from "./camera";
import type { Look, Renderer } from "./renderer";

const VERTEX = `#version 300 es
layout(location = 0) in vec2 point;
layout(location = 1) in float place;
layout(location = 2) in float dimmed;
uniform vec2 centre, scale;
uniform float size, layer, opacity;
uniform sampler2D palette;
uniform vec3 missing, dim;
out vec4 colour;
out float diameter;
void main() {
  bool is_shown = (dimmed > 0.5) == (layer < 0.5);
  vec2 at = (point - centre) * scale;
  gl_Position = is_shown ? vec4(at, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  diameter = dimmed > 0.5 ? 0.8 * size : size;
  gl_PointSize = diameter;
  vec3 own = place < 0.0 ? missing : texelFetch(palette, ivec2(int(place), 0), 0).rgb;
  colour = dimmed > 0.5 ? vec4(dim, 0.45 * opacity) : vec4(own, opacity);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 colour;
in float diameter;
out vec4 pixel;
void main() {
  float edge = 0.5 * diameter * (1.0 - length(2.0 * gl_PointCoord - 1.0));
  float alpha = colour.a * clamp(edge + 0.5, 0.0, 1.0);
  pixel = vec4(colour.rgb * alpha, alpha);
}`;

const unit = (colour: Rgb): Rgb => colour.map((value) => value / 255) as Rgb;

export class WebglRenderer implements Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly buffers: WebGLBuffer[];
  private readonly places = new Map<string, WebGLUniformLocation | null>();
  private n = 0;

  private constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.program = link(gl);
    this.buffers = [0, 1, 2].map(() => gl.createBuffer() as WebGLBuffer);
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    this.buffers.forEach((buffer, location) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(location);
      const [size, type] = location === 0 ? [2, gl.FLOAT] : [1, location === 1 ? gl.FLOAT : gl.UNSIGNED_BYTE];
      gl.vertexAttribPointer(location, size, type, false, 0, 0);
    });
  }

  /** A renderer on a canvas, or null where the browser has no WebGL 2. */
  static on(canvas: HTMLCanvasElement): WebglRenderer | null {
    const gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true });
    try {
      return gl ? new WebglRenderer(gl) : null;
    } catch {
      return null;
    }
  }

  private at(name: string): WebGLUniformLocation | null {
    if (!this.places.has(name)) this.places.set(name, this.gl.getUniformLocation(this.program, name));
    return this.places.get(name) ?? null;
  }

  private fill(buffer: number, values: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[buffer]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.STATIC_DRAW);
  }

  setPoints(points: Float32Array<ArrayBuffer>): void {
    this.n = points.length / 2;
    this.fill(0, points);
  }

  setLook(look: Look): void {
    const { gl } = this;
    this.fill(1, look.places);
    this.fill(2, look.dimmed);
    const pixels = new Uint8Array(look.palette.flatMap((colour) => [...colour, 255]));
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA, PALETTE_SIZE, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels,
    );
    gl.uniform3fv(this.at("missing"), unit(look.missing));
    gl.uniform3fv(this.at("dim"), unit(look.dim));
  }

  draw(camera: Camera, ratio: number): void {
    const { gl } = this;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.n) return;
    gl.uniform2f(this.at("centre"), camera.x, camera.y);
    gl.uniform2f(
      this.at("scale"), (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height,
    );
    gl.uniform1f(this.at("size"), pointSize(this.n, camera) * ratio);
    gl.uniform1f(this.at("opacity"), pointOpacity(this.n, camera));
    for (const layer of [0, 1]) {
      gl.uniform1f(this.at("layer"), layer);
      gl.drawArrays(gl.POINTS, 0, this.n);
    }
  }

  free(): void {
    this.buffers.forEach((buffer) => this.gl.deleteBuffer(buffer));
    this.gl.deleteProgram(this.program);
  }
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(type) as WebGLShader;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`The map's shaders do not compile: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}
