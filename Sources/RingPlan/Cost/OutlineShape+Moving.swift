import RingCore

// The outlines of the collectives that move elements without combining them.
extension OutlineShape {
    func allGather(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "ring":
            AlgorithmOutline(
                [ringRound(reduces: false)], isSteady: true, copiedBytes: isOutOfPlace ? share : 0)
        default: nil
        }
    }

    func broadcast(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "binomial-tree":
            AlgorithmOutline(treeRoundsDown(bytes: { _ in bytes }), isSteady: false)
        case "pipelined-ring":
            AlgorithmOutline([pipelineRound(reduces: false)], isSteady: false)
        default: nil
        }
    }

    func gather(_ algorithm: String) -> AlgorithmOutline? {
        nil
    }

    func scatter(_ algorithm: String) -> AlgorithmOutline? {
        nil
    }

    func allToAll(_ algorithm: String) -> AlgorithmOutline? {
        nil
    }

    func barrier(_ algorithm: String) -> AlgorithmOutline? {
        guard algorithm == "dissemination" else { return nil }
        return AlgorithmOutline(
            (0..<doublings).map { k in
                AlgorithmOutline.Round(
                    .shift(1 << k), transfers: Double(ranks), sends: 1, receives: 1, bytes: 0)
            },
            isSteady: true)
    }

    /// All elements from rank to rank, chunk after chunk; a rank receives them once and sends them once.
    func pipelineRound(reduces: Bool) -> AlgorithmOutline.Round {
        let once = ranks > 2 ? 1 / Double(ranks - 1) : 1
        return AlgorithmOutline.Round(
            .shift(1), repeats: ranks - 1, transfers: 1, sends: once, receives: ranks > 2 ? once : 0,
            bytes: bytes, messages: Double(PipelinedRingBroadcast.chunkCount(for: elementCount)),
            reduces: reduces)
    }
}
