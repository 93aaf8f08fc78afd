"""Is the model still healthy? Numbers from the networks themselves, on pairs that were kept out of training.

None of them may be used to choose between models or to report quality: they come from the networks that are trained.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bespoke.data.batches import Batch
from bespoke.networks import Networks
from bespoke.training.monitor import caption_sensitivity, effective_rank, linear_cka, sign_accuracy


@torch.no_grad()
def health(
    networks: Networks, train: Batch, held_out: Batch, device: torch.device, *, seed: int = 0
) -> dict[str, float]:
    """The signals of monitor.ALARMS, measured on one batch of training pairs and one of pairs kept out.

    networks: the averaged ones. Fakes are drawn at b = 0.5 with noise of `seed`, so that successive numbers compare.
    """
    n, generator = len(held_out.captions), torch.Generator().manual_seed(seed)
    noise, other_noise = (
        torch.randn(n, networks.generator.num_noise, generator=generator).to(device) for _ in range(2)
    )
    captions, others = held_out.captions.to(device), held_out.mismatched.to(device)
    half = torch.full((n,), 0.5, device=device)
    with torch.autocast(device.type, torch.bfloat16):
        text = networks.text_encoder(captions)
        fake = networks.generator(noise, text, half).pictures
        # At b = 0 only the realism embedding speaks: does it still listen to the text?
        plain = networks.generator(noise, text, 0 * half).pictures
        by_caption = networks.generator(noise, networks.text_encoder(others), 0 * half).pictures
        by_noise = networks.generator(other_noise, text, 0 * half).pictures
        seen_fake = networks.discriminator(fake)
        seen_train = networks.discriminator(_signed(train.pictures, device))
        seen_held_out = networks.discriminator(_signed(held_out.pictures, device))
    natural = lambda seen: networks.discriminator.naturalness(seen, half[: len(seen.trunk)])  # noqa: E731
    pooled = lambda x: F.adaptive_avg_pool2d(x, 8).flatten(1)  # noqa: E731
    return {
        "sign_accuracy_train": sign_accuracy(natural(seen_train), natural(seen_fake)),
        "sign_accuracy_validation": sign_accuracy(natural(seen_held_out), natural(seen_fake)),
        "top1_validation": top1(seen_held_out.embedding, text.alignment.sentence, held_out.caption_ids),
        "top1_fake": top1(seen_fake.embedding, text.alignment.sentence, held_out.caption_ids),
        "caption_sensitivity": caption_sensitivity(pooled(plain), pooled(by_caption), pooled(by_noise)),
        "effective_rank_realism": effective_rank(text.realism.sentence),
        "effective_rank_alignment": effective_rank(text.alignment.sentence),
    } | ({} if networks.text_encoder.is_shared else {"cka": linear_cka(text.realism.sentence, text.alignment.sentence)})


def top1(embedding: Tensor, sentence: Tensor, caption_ids: Tensor) -> float:
    """Share of pictures [N, E] whose own caption is the closest of the N; equal captions count as own."""
    nearest = (embedding @ F.normalize(sentence, dim=1).T).argmax(1).cpu()
    return float((caption_ids.cpu()[nearest] == caption_ids.cpu()).double().mean())


def _signed(pictures: Tensor, device: torch.device) -> Tensor:
    return pictures.to(device).float() / 127.5 - 1
