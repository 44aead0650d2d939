/**
 * Points in WebGL 2, dimmed ones below the others.
 *
 * Libraries of scatter plots on WebGL build code from strings while they run, which the page's
 * content security policy forbids; points alone need little.
 */

import { pointOpacity, pointSize, type Camera } from "./camera";
import { coloursOf, orderOf, shuffled, type Look, type Renderer } from "./renderer";

const VERTEX = `#version 300 es
layout(location = 0) in vec2 point;
layout(location = 1) in vec4 tint;
uniform vec2 centre, scale;
uniform float size, opacity;
out vec4 colour;
void main() {
  gl_Position = vec4((point - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
  colour = vec4(tint.rgb, tint.a * opacity);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 colour;
uniform float size;
out vec4 pixel;
void main() {
  float alpha = colour.a;
  if (size > 3.0) {
    float edge = 0.5 * size * (1.0 - length(2.0 * gl_PointCoord - 1.0));
    alpha *= clamp(edge + 0.5, 0.0, 1.0);
  }
  pixel = vec4(colour.rgb * alpha, alpha);
}`;

export class WebglRenderer implements Renderer {
  private readonly gl: WebGL2RenderingContext;
  private readonly program: WebGLProgram;
  private readonly buffers: WebGLBuffer[];
  private readonly uniforms: Record<string, WebGLUniformLocation | null>;
  private order: Uint32Array<ArrayBuffer> = new Uint32Array();
  private nDimmed = 0;

  private constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.program = link(gl);
    this.buffers = [0, 1, 2].map(() => gl.createBuffer() as WebGLBuffer);
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const names = ["centre", "scale", "size", "opacity"];
    this.uniforms = Object.fromEntries(names.map((one) => [one, gl.getUniformLocation(this.program, one)]));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[0]);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[1]);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers[2]);
    gl.enableVertexAttribArray(0);
    gl.enableVertexAttribArray(1);
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

  setPoints(points: Float32Array<ArrayBuffer>): void {
    this.order = shuffled(points.length / 2);
    this.fill(this.gl.ARRAY_BUFFER, 0, points);
  }

  setLook(look: Look): void {
    const { order, nDimmed } = orderOf(this.order, look);
    this.nDimmed = nDimmed;
    this.fill(this.gl.ARRAY_BUFFER, 1, coloursOf(look));
    this.fill(this.gl.ELEMENT_ARRAY_BUFFER, 2, order);
  }

  private fill(target: number, buffer: number, values: AllowSharedBufferSource): void {
    this.gl.bindBuffer(target, this.buffers[buffer]);
    this.gl.bufferData(target, values, this.gl.STATIC_DRAW);
  }

  draw(camera: Camera, ratio: number, share: number): void {
    const { gl, uniforms } = this;
    const n = this.order.length;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniforms.centre, camera.x, camera.y);
    gl.uniform2f(uniforms.scale, (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform1f(uniforms.size, pointSize(n, camera) * ratio);
    gl.uniform1f(uniforms.opacity, pointOpacity(n, camera));
    for (const [start, count] of [[0, this.nDimmed], [this.nDimmed, n - this.nDimmed]]) {
      gl.drawElements(gl.POINTS, Math.ceil(share * count), gl.UNSIGNED_INT, 4 * start);
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
