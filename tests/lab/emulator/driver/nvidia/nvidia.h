/* SPDX-License-Identifier: GPL-2.0 */
/* What nvidia tells nvidia_modeset, and nvidia_modeset passes on to nvidia_drm. */
#ifndef NVIDIA_H
#define NVIDIA_H

#include <linux/pci.h>
#include <linux/wait.h>

#define NVIDIA_MAJOR 195
#define NVIDIA_MINOR_MODESET 254
#define NVIDIA_MINOR_CONTROL 255

struct nvidia_gpu {
	struct pci_dev *pci;
	int minor;
	atomic_t users;			/* files and clients that have it open */
	wait_queue_head_t unused;
	struct proc_dir_entry *folder;
	void *client_data;
};

/* Told of each card, also of those that were there before it was registered. */
struct nvidia_client {
	void (*probe)(struct nvidia_gpu *gpu);
	void (*remove)(struct nvidia_gpu *gpu);
};

void nvidia_register_client(const struct nvidia_client *client);
void nvidia_unregister_client(void);
void nvidia_get(struct nvidia_gpu *gpu);
void nvidia_put(struct nvidia_gpu *gpu);

void nvkms_register_client(const struct nvidia_client *client);
void nvkms_unregister_client(void);
void nvkms_get(struct nvidia_gpu *gpu);
void nvkms_put(struct nvidia_gpu *gpu);

#endif
