"""Which surface does each pixel of a drawn product show, and where on it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bespoke.data.sample_shapes import Array, Surface, cross, rotation

DISTANCE = 4.5  # of the camera, in heights of a product
AHEAD = 0.03  # how much nearer parts count that sit on another surface, so that it does not swallow them
SAME = 1e-6  # points nearer than this are one
PIXEL_SLACK = 0.3  # faces thinner than a pixel would have endless slopes


@dataclass(frozen=True)
class Camera:
    """How the product is turned (degrees), how long its longer side is and where its middle and foot lie (pixels)."""

    yaw: float
    pitch: float
    roll: float
    length: float
    middle: float
    foot: float
    side: int


@dataclass(frozen=True)
class Lens:
    """From a product that is turned by yaw and roll to pixels."""

    tilt: Array  # [3, 3]
    scale: float
    origin: tuple[float, float]  # pixels

    def project(self, points: Array) -> Array:
        """Places [..., 3] to pixels right and down; the third is the distance towards the viewer."""
        seen = points @ self.tilt.T
        near = self.scale * DISTANCE / (DISTANCE - seen[..., 2])
        right, down = self.origin[0] + seen[..., 0] * near, self.origin[1] - seen[..., 1] * near
        return np.stack([right, down, seen[..., 2]], -1)

    def shrunk(self, by: float) -> Lens:
        """The same view in a picture of another size."""
        return Lens(self.tilt, self.scale * by, (self.origin[0] * by, self.origin[1] * by))


@dataclass(frozen=True)
class Faces:
    """All faces of a product in front of the camera, with four corners each."""

    corners: Array  # [F, 4, 3] in pixels; the third is the distance towards the viewer
    normals: Array  # [F, 4, 3] x right, y up, z to the viewer
    uv: Array  # [F, 4, 2]
    light: Array  # [F, 4]
    height: Array  # [F, 4] of the product standing upright
    surface: NDArray[np.int64]  # [F] number of the surface
    ahead: Array  # [F]
    places: Array  # [F, 4, 3] corners in units of the product, turned by yaw and roll
    lens: Lens


@dataclass(frozen=True)
class Pixels:
    """What the pixels of the product show, P in all."""

    where: NDArray[np.int64]  # [P] into the flattened picture
    normal: Array  # [P, 3] of length 1
    uv: Array  # [P, 2]
    light: Array  # [P]
    height: Array  # [P]
    surface: NDArray[np.int64]  # [P]


def look(surfaces: Sequence[Surface], camera: Camera) -> Faces:
    """Turn, project and fit a product into its place in the picture."""
    level = rotation(camera.roll, "z") @ rotation(camera.yaw, "y")
    nets = [surface.points @ level.T for surface in surfaces]
    lens = _fitted(np.concatenate([net.reshape(-1, 3) for net in nets]), camera)
    lights = [np.broadcast_to(surface.light, surface.points.shape[:2])[..., None] for surface in surfaces]
    counts = [(net.shape[0] - 1) * (net.shape[1] - 1) for net in nets]
    return Faces(
        corners=_by_face([lens.project(net) for net in nets]),
        normals=_by_face([_normals(net) @ lens.tilt.T for net in nets]),
        uv=_by_face([surface.uv for surface in surfaces]),
        light=_by_face(lights)[..., 0],
        height=_by_face([surface.points[..., 1:2] for surface in surfaces])[..., 0],
        surface=np.repeat(np.arange(len(surfaces)), counts),
        ahead=np.repeat([0.0 if surface.paint in ("body", "base", "inner") else AHEAD for surface in surfaces], counts),
        places=_by_face(nets),
        lens=lens,
    )


def _fitted(points: Array, camera: Camera) -> Lens:
    """The lens that shows these points [N, 3] in the length and place asked for."""
    loose = Lens(rotation(camera.pitch, "x"), 1.0, (0.0, 0.0)).project(points)
    low, high = loose.min(0), loose.max(0)
    scale = camera.length / float(max(high[0] - low[0], high[1] - low[1]))
    right = camera.middle - scale * float(low[0] + high[0]) / 2
    return Lens(rotation(camera.pitch, "x"), scale, (right, camera.foot - scale * float(high[1])))


def cast(faces: Faces, light: tuple[float, float, float], wall: float | None, below: float, side: int) -> Image.Image:
    """The hard shadow of all that is lower than `below`, on the ground or on a wall at z = `wall`."""
    lit = faces.places[faces.places[..., 1].min(1) < below]
    axis, level = (1, 0.0) if wall is None else (2, wall)
    fallen = lit - ((lit[..., axis] - level) / light[axis])[..., None] * np.asarray(light)
    spots = faces.lens.project(fallen)[..., :2]
    canvas = Image.new("L", (side, side))
    brush = ImageDraw.Draw(canvas)
    for outline in spots[_facing(spots)].reshape(-1, 8).tolist():
        brush.polygon(outline, fill=255)
    return canvas


def scan(faces: Faces, side: int) -> Pixels:
    """Find the face in front at every pixel of a `side` x `side` picture: far faces are painted over by near ones."""
    seen = np.flatnonzero(_facing(faces.corners))
    order = seen[np.argsort(faces.corners[seen, :, 2].mean(1) + faces.ahead[seen], kind="stable")]
    canvas = Image.new("I", (side, side), -1)
    brush = ImageDraw.Draw(canvas)
    outlines = (faces.corners[order, :, :2] - 0.5).reshape(-1, 8).tolist()
    for number, outline in enumerate(outlines):
        brush.polygon(outline, fill=number)
    shown = np.asarray(canvas).reshape(-1)
    where = np.flatnonzero(shown >= 0)
    face = shown[where]
    down, right = np.divmod(where.astype(np.float64), side)
    values = _interpolated(faces, order, face, right + 0.5, down + 0.5)
    normal = values[:, :3]
    normal /= np.maximum(np.sqrt((normal * normal).sum(1, keepdims=True)), 1e-6)
    return Pixels(where, normal, values[:, 3:5], np.clip(values[:, 5], 0, 1), values[:, 6], faces.surface[order[face]])


def _facing(corners: Array) -> NDArray[np.bool_]:
    """Which faces [F, 4, 2 or more] show their outside in the picture."""
    one, other = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    return np.asarray(one[:, 0] * other[:, 1] - other[:, 0] * one[:, 1] > 1e-3)


def _interpolated(faces: Faces, order: NDArray[np.int64], face: NDArray[np.int64], x: Array, y: Array) -> Array:
    """Normal, uv, light and height [P, 7] at pixels of the faces order[face]: a plane through the values at corners."""
    parts = (faces.normals, faces.uv, faces.light[..., None], faces.height[..., None])
    values = np.concatenate([part[order] for part in parts], -1)  # [F, 4, 7]
    corners = faces.corners[order, :, :2]
    center, mean = corners.mean(1), values.mean(1)
    offset = corners - center[:, None]
    xx, yy = (offset * offset).sum(1).T + PIXEL_SLACK
    xy = (offset[..., 0] * offset[..., 1]).sum(1)
    area = xx * yy - xy * xy
    by_x, by_y = ((offset[..., axis, None] * (values - mean[:, None])).sum(1) for axis in (0, 1))
    slope_x = (yy[:, None] * by_x - xy[:, None] * by_y) / area[:, None]
    slope_y = (xx[:, None] * by_y - xy[:, None] * by_x) / area[:, None]
    dx, dy = x - center[face, 0], y - center[face, 1]
    return np.asarray(mean[face] + slope_x[face] * dx[:, None] + slope_y[face] * dy[:, None])


def _normals(net: Array) -> Array:
    """Mean directions of the faces around every point [R, C, 3]."""
    across = net[1:, 1:] - net[:-1, :-1], net[1:, :-1] - net[:-1, 1:]
    face = cross(across[1], across[0])  # longer for larger faces
    total = np.zeros_like(net)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            total[rows, columns] += face
    if np.abs(net[:, 0] - net[:, -1]).max() < SAME:
        total[:, 0] = total[:, -1] = total[:, 0] + total[:, -1]
    for row in (0, -1):
        if np.abs(net[row] - net[row, :1]).max() < SAME:  # all columns meet in a point
            total[row] = total[row].sum(0)
    return np.asarray(total / np.maximum(np.sqrt((total * total).sum(-1, keepdims=True)), 1e-12))


def _by_face(nets: Sequence[Array]) -> Array:
    """Values at points [R, C, D] of every surface to values at the corners of all faces [F, 4, D]."""
    corners = [
        np.stack([net[:-1, :-1], net[:-1, 1:], net[1:, 1:], net[1:, :-1]], 2).reshape(-1, 4, net.shape[-1])
        for net in nets
    ]
    return np.concatenate(corners)
