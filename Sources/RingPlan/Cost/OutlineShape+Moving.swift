import RingCore

// The outlines of the collectives that move elements without combining them.
extension OutlineShape {
    func allGather(_ algorithm: String) -> AlgorithmOutline? {
        let copied = isOutOfPlace ? share : 0
        switch algorithm {
        case "ring": return AlgorithmOutline([ringRound(reduces: false)], isSteady: true, copiedBytes: copied)
        case "direct": return AlgorithmOutline([directAllGather], isSteady: true, copiedBytes: copied)
        case "bruck":
            let rounds = (0..<doublings).map { k in
                let count = min(1 << k, ranks - (1 << k))
                // What goes on past the last rank is a second message.
                let messages = 1 + Double(count - 1) / Double(ranks)
                // Less than half of what could be sent is from rounds before the last one.
                return Round(
                    .shift(1 << k), transfers: min(Double(ranks), shares * Double(1 << k)), sends: 1,
                    receives: 1,
                    bytes: Double(count) * share, messages: messages, waits: k == 0 || 2 * count > 1 << k)
            }
            return AlgorithmOutline(rounds, isSteady: true, copiedBytes: copied)
        default: return nil
        }
    }

    func broadcast(_ algorithm: String) -> AlgorithmOutline? {
        let copied = isOutOfPlace ? bytes : 0
        switch algorithm {
        case "binomial-tree":
            return AlgorithmOutline(treeRoundsDown { _ in bytes }, isSteady: false, copiedBytes: copied)
        case "pipelined-ring":
            return AlgorithmOutline([pipelineRound(reduces: false)], isSteady: false, copiedBytes: copied)
        case "direct":
            return AlgorithmOutline(
                [star(bytes: bytes, inwards: false, others: Double(ranks - 1))], isSteady: true,
                copiedBytes: copied)
        default: return nil
        }
    }

    func gather(_ algorithm: String) -> AlgorithmOutline? {
        let copied = isOutOfPlace ? share : 0
        switch algorithm {
        case "direct":
            return AlgorithmOutline(
                [star(bytes: share, inwards: true, others: shares - 1)], isSteady: true, copiedBytes: copied)
        case "binomial-tree":
            let rounds = shares > 1 ? treeRounds(reduces: false, bytes: subtreeBytes) : []
            return AlgorithmOutline(rounds, isSteady: false, copiedBytes: copied)
        default: return nil
        }
    }

    func scatter(_ algorithm: String) -> AlgorithmOutline? {
        let copied = isOutOfPlace ? share : 0
        switch algorithm {
        case "direct":
            return AlgorithmOutline(
                [star(bytes: share, inwards: false, others: shares - 1)], isSteady: true, copiedBytes: copied)
        case "binomial-tree":
            let rounds = shares > 1 ? treeRoundsDown(bytes: subtreeBytes) : []
            return AlgorithmOutline(rounds, isSteady: false, copiedBytes: copied)
        default: return nil
        }
    }

    func allToAll(_ algorithm: String) -> AlgorithmOutline? {
        let block = Double(Partition(count: elementCount, parts: ranks * ranks).largest * elementSize)
        let others = Double(ranks - 1)
        switch algorithm {
        case "pairwise":
            let round = Round(
                .everyone, transfers: Double(ranks) * others, sends: others, receives: others, bytes: block)
            return AlgorithmOutline(
                [round], isSteady: true, copiedBytes: isOutOfPlace ? block : others / 2 * block)
        case "bruck":
            let rounds = (0..<doublings).map { k in
                let leaping = Double((1..<ranks).lazy.filter { $0 & (1 << k) != 0 }.count)
                return Round(
                    .shift(1 << k), transfers: Double(ranks) * leaping, sends: leaping, receives: leaping,
                    bytes: block, waits: k > 0 || beyond == 0)
            }
            return AlgorithmOutline(
                rounds, isSteady: true, copiedBytes: isOutOfPlace ? block : Double(ranks) * block)
        default: return nil
        }
    }

    func barrier(_ algorithm: String) -> AlgorithmOutline? {
        guard algorithm == "dissemination" else { return nil }
        let rounds = (0..<doublings).map { k in
            Round(.shift(1 << k), transfers: Double(ranks), sends: 1, receives: 1, bytes: 0)
        }
        return AlgorithmOutline(rounds, isSteady: true)
    }
}
