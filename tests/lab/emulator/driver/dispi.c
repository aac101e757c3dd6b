// SPDX-License-Identifier: GPL-2.0
/*
 * One pipe, one connector without EDID, frames kept in shared memory and copied to the card.
 * Registers: QEMU, docs/specs/standard-vga.rst and hw/display/bochs-vbe.h.
 *
 * Parameter `blind_seconds`: for so long after its probe nobody who looks at the connector finds
 * a screen, as with one that is slow to wake. No event tells that it is there.
 */
#include "dispi.h"

#include <drm/drm_atomic_helper.h>
#include <drm/drm_connector.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_edid.h>
#include <drm/drm_format_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_simple_kms_helper.h>
#include <linux/aperture.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#include <drm/clients/drm_client_setup.h>
#define fbdev_setup(device) drm_client_setup(device, NULL)
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#include <drm/drm_fbdev_shmem.h>
#define fbdev_setup(device) drm_fbdev_shmem_setup(device, 32)
#else
#include <drm/drm_fb_helper.h>
#define fbdev_setup(device) drm_fbdev_generic_setup(device, 32)
#endif

#define BAR_MEMORY 0
#define BAR_REGISTERS 2
#define VGA_PORTS 0x400		/* where port 0x3c0 is */
#define VGA_ATTRIBUTE 0x00
#define VGA_MISC 0x02
#define VGA_STATUS 0x1a
#define DISPI_REGISTERS 0x500

enum { ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET };

#define ENABLED 0x01
#define LINEAR 0x40
#define KEEP_MEMORY 0x80
#define WIDTH 1280
#define HEIGHT 800

static int blind_seconds;
module_param(blind_seconds, int, 0644);

struct dispi {
	struct drm_simple_display_pipe pipe;
	struct drm_connector connector;
	void __iomem *memory;
	void __iomem *registers;
	size_t size;
	unsigned long sees_from;	/* jiffies */
};

static void put(struct dispi *dispi, int index, u16 value)
{
	writew(value, dispi->registers + DISPI_REGISTERS + index * 2);
}

/* The firmware, or a guest's driver, may have left the text mode blanked. */
static void unblank(struct dispi *dispi)
{
	void __iomem *ports = dispi->registers + VGA_PORTS;

	writeb(0x01, ports + VGA_MISC);		/* the status register answers at 0x3da */
	readb(ports + VGA_STATUS);		/* the next byte is an index */
	writeb(0x20, ports + VGA_ATTRIBUTE);
}

static void pipe_enable(struct drm_simple_display_pipe *pipe, struct drm_crtc_state *crtc,
			struct drm_plane_state *plane)
{
	struct dispi *dispi = container_of(pipe, struct dispi, pipe);
	int index;

	if (!drm_dev_enter(pipe->crtc.dev, &index))
		return;
	unblank(dispi);
	put(dispi, ENABLE, 0);
	put(dispi, BPP, 32);
	put(dispi, XRES, crtc->mode.hdisplay);
	put(dispi, YRES, crtc->mode.vdisplay);
	put(dispi, BANK, 0);
	put(dispi, VIRT_WIDTH, crtc->mode.hdisplay);
	put(dispi, X_OFFSET, 0);
	put(dispi, Y_OFFSET, 0);
	put(dispi, ENABLE, ENABLED | LINEAR | KEEP_MEMORY);
	drm_dev_exit(index);
}

static void pipe_disable(struct drm_simple_display_pipe *pipe)
{
	struct dispi *dispi = container_of(pipe, struct dispi, pipe);
	int index;

	if (!drm_dev_enter(pipe->crtc.dev, &index))
		return;
	put(dispi, ENABLE, 0);
	drm_dev_exit(index);
}

static void pipe_update(struct drm_simple_display_pipe *pipe, struct drm_plane_state *old)
{
	struct dispi *dispi = container_of(pipe, struct dispi, pipe);
	struct drm_plane_state *state = pipe->plane.state;
	struct drm_shadow_plane_state *shadow = to_drm_shadow_plane_state(state);
	unsigned int pitch = pipe->crtc.state->mode.hdisplay * 4;
	struct iosys_map target;
	struct drm_rect damage;
	int index;

	if (!state->fb || !drm_atomic_helper_damage_merged(old, state, &damage))
		return;
	if (!drm_dev_enter(pipe->crtc.dev, &index))
		return;
	iosys_map_set_vaddr_iomem(&target, dispi->memory);
	iosys_map_incr(&target, drm_fb_clip_offset(pitch, state->fb->format, &damage));
	drm_fb_memcpy(&target, &pitch, shadow->data, state->fb, &damage);
	drm_dev_exit(index);
}

static enum drm_mode_status pipe_mode_valid(struct drm_simple_display_pipe *pipe,
					    const struct drm_display_mode *mode)
{
	struct dispi *dispi = container_of(pipe, struct dispi, pipe);

	return mode->hdisplay * mode->vdisplay * 4 <= dispi->size ? MODE_OK : MODE_MEM;
}

static const struct drm_simple_display_pipe_funcs pipe_funcs = {
	.enable = pipe_enable,
	.disable = pipe_disable,
	.update = pipe_update,
	.mode_valid = pipe_mode_valid,
	DRM_GEM_SIMPLE_DISPLAY_PIPE_SHADOW_PLANE_FUNCS,
};

static int connector_modes(struct drm_connector *connector)
{
	int count = drm_add_modes_noedid(connector, 1920, 1200);

	drm_set_preferred_mode(connector, WIDTH, HEIGHT);
	return count;
}

static enum drm_connector_status connector_detect(struct drm_connector *connector, bool force)
{
	struct dispi *dispi = container_of(connector, struct dispi, connector);

	return time_before(jiffies, dispi->sees_from) ? connector_status_disconnected :
							connector_status_connected;
}

static const struct drm_connector_helper_funcs connector_helpers = {
	.get_modes = connector_modes,
};

static const struct drm_connector_funcs connector_funcs = {
	.detect = connector_detect,
	.fill_modes = drm_helper_probe_single_connector_modes,
	.destroy = drm_connector_cleanup,
	.reset = drm_atomic_helper_connector_reset,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static const struct drm_mode_config_funcs config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

static const u32 formats[] = { DRM_FORMAT_XRGB8888 };

static int init_pipe(struct drm_device *device, struct dispi *dispi)
{
	int status = drmm_mode_config_init(device);

	if (status)
		return status;
	device->mode_config.funcs = &config_funcs;
	device->mode_config.max_width = 4096;
	device->mode_config.max_height = 4096;
	device->mode_config.preferred_depth = 24;
	drm_connector_helper_add(&dispi->connector, &connector_helpers);
	status = drm_connector_init(device, &dispi->connector, &connector_funcs,
				    DRM_MODE_CONNECTOR_HDMIA);
	if (status)
		return status;
	status = drm_simple_display_pipe_init(device, &dispi->pipe, &pipe_funcs, formats,
					      ARRAY_SIZE(formats), NULL, &dispi->connector);
	if (status)
		return status;
	drm_plane_enable_fb_damage_clips(&dispi->pipe.plane);
	drm_mode_config_reset(device);
	return 0;
}

static int map(struct dispi *dispi, struct pci_dev *pci, const char *name)
{
	int status = pci_request_regions(pci, name);

	if (status)
		return status;
	dispi->size = pci_resource_len(pci, BAR_MEMORY);
	dispi->memory = pci_ioremap_wc_bar(pci, BAR_MEMORY);
	dispi->registers = pci_ioremap_bar(pci, BAR_REGISTERS);
	return dispi->memory && dispi->registers ? 0 : -ENOMEM;
}

static void unmap(struct dispi *dispi, struct pci_dev *pci)
{
	if (dispi->registers)
		iounmap(dispi->registers);
	if (dispi->memory)
		iounmap(dispi->memory);
	if (dispi->size)
		pci_release_regions(pci);
}

/* Nothing is tied to the life of the PCI driver, which need not be this module's. */
struct drm_device *dispi_attach(const struct drm_driver *driver, struct pci_dev *pci)
{
	struct drm_device *device = drm_dev_alloc(driver, &pci->dev);
	struct dispi *dispi;
	int status;

	if (IS_ERR(device))
		return device;
	dispi = drmm_kzalloc(device, sizeof(*dispi), GFP_KERNEL);
	if (!dispi) {
		status = -ENOMEM;
		goto put;
	}
	device->dev_private = dispi;
	dispi->sees_from = jiffies + blind_seconds * HZ;
	status = aperture_remove_conflicting_pci_devices(pci, driver->name);
	if (!status)
		status = map(dispi, pci, driver->name);
	if (!status)
		status = init_pipe(device, dispi);
	if (!status)
		status = drm_dev_register(device, 0);
	if (!status) {
		fbdev_setup(device);
		return device;
	}
	unmap(dispi, pci);
put:
	drm_dev_put(device);
	return ERR_PTR(status);
}

void dispi_detach(struct drm_device *device)
{
	drm_dev_unplug(device);
	drm_atomic_helper_shutdown(device);
	unmap(device->dev_private, to_pci_dev(device->dev));
	drm_dev_put(device);
}
