"""What is said of the figures that papers give, in every language?"""

from __future__ import annotations

from bespoke.pages.texts import Language, Line, Text, fill

PAPER_TEXTS: dict[str, Text] = {
    "papers": Text("By networks of others, as papers measure", "論文と同じネットワークによる測定"),
    "papers_note": Text(
        "For comparison with papers that used the same network and pictures of the same kind; nothing was chosen by "
        "these numbers, and no gate or verdict asks for them. Distances and the Inception score depend strongly on the "
        "number of pictures, here {n}; papers often use 10,000 and more. CLIP was taught English.",
        "同じネットワークと同種の画像を使った論文と比べるための値です。モデルの選択・判定・公開の条件には使いません。"
        "距離と Inception スコアは枚数(ここでは {n} 枚)に強く左右され、論文では 1 万枚以上が普通です。"
        "CLIP は英語で学習したものです。",
    ),
    "papers_columns": Text(
        "Training pictures, as many as were generated, against the split stand beside generated. Real: one half of the "
        "split against the other, to be compared with generated, half; of scores without a reference, the real "
        "pictures of the same captions. In brackets the number of pictures.",
        "「学習用画像」は生成画像と同じ枚数を分割と比べた値です。「実物」は分割の半数どうしの比較で、"
        "「生成画像(半数)」と比べてください。比較先のない値では、同じ説明文の実物の画像です。括弧内は枚数です。",
    ),
    "paper_metric.fid": Text("FID \u2193", "FID(フレシェ距離)\u2193"),
    "paper_metric.kid": Text("KID \u2193", "KID(カーネル距離)\u2193"),
    "paper_metric.inception_score": Text("Inception score \u2191", "Inception スコア \u2191"),
    "paper_metric.clip_score": Text("CLIP score \u2191", "CLIP スコア \u2191"),
    "paper_metric.fd_dinov2": Text("FD-DINOv2 \u2193", "FD-DINOv2(フレシェ距離)\u2193"),
    "paper_figure": Text(
        "{metric}: {generated}; real pictures: {real} ({n} pictures each)",
        "{metric}: {generated}、実物 {real}(各 {n} 枚)",
    ),
    "paper_weights": Text("weights {weights}, {library}", "重み {weights}、{library}"),
    # What keeps a network from being asked, and the command that mends it.
    "paper_missing": Text("Not measured", "測定できなかったもの"),
    "paper_missing.package": Text(
        "{network}: needs the package {package}; run: {command}",
        "{network}: パッケージ {package} が必要です。次を実行してください: {command}",
    ),
    "paper_missing.torchvision": Text(
        "{network}: needs torchvision in the build for torch {torch}; run this, with the --index-url that torch came "
        "from if it had one: {command}",
        "{network}: torch {torch} 用の torchvision が必要です。torch を --index-url 付きで入れた場合は同じものを付けて"
        "次を実行してください: {command}",
    ),
    "paper_missing.broken": Text(
        "{network}: torchvision does not import ({reason}): it was built for another torch than {torch}; run this, "
        "with the --index-url that torch came from if it had one: {command}",
        "{network}: torchvision を読み込めません({reason})。torch {torch} 用ではありません。"
        "torch を --index-url 付きで入れた場合は同じものを付けて、次を実行してください: {command}",
    ),
    "paper_missing.weights": Text(
        "{network}: the weights {model} are not on this machine and could not be fetched ({reason}); where there is a "
        "network run: {command} and then give --metrics {network}={place}",
        "{network}: 重み {model} がこのマシンになく、取得もできません({reason})。ネットワークのある所で "
        "{command} を実行し、--metrics {network}={place} と指定してください",
    ),
    "paper_missing.damaged": Text(
        "{network}: the weights {model} cannot be used ({reason}); get them anew: {command} and then give --metrics "
        "{network}={place}",
        "{network}: 重み {model} を使えません({reason})。{command} で取り直し、"
        "--metrics {network}={place} と指定してください",
    ),
}


def missing_sentence(line: Line, language: Language) -> str:
    """Why a network was not asked, in words."""
    return fill(PAPER_TEXTS[line.key], language, **line.values)
