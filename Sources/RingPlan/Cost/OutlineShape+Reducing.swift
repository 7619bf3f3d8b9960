import RingCore

// The outlines of the collectives that combine elements.
extension OutlineShape {
    func allReduce(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "ring":
            AlgorithmOutline([ringRound(reduces: true), ringRound(reduces: false)], isSteady: true)
        case "bidirectional-ring": bidirectionalRing
        case "double-binary-tree": doubleBinaryTree
        case "halving-doubling": halvingDoubling
        case "recursive-doubling": recursiveDoubling
        case "binomial-tree":
            AlgorithmOutline(
                treeRounds(reduces: true) { _ in bytes } + treeRoundsDown { _ in bytes }, isSteady: false)
        case "direct": AlgorithmOutline([directReduceScatter, directAllGather], isSteady: true)
        default: nil
        }
    }

    func reduceScatter(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "ring": AlgorithmOutline([ringRound(reduces: true)], isSteady: true)
        case "direct": AlgorithmOutline([directReduceScatter], isSteady: true)
        case "halving-doubling": AlgorithmOutline(halvingRounds, isSteady: true)
        default: nil
        }
    }

    func reduce(_ algorithm: String) -> AlgorithmOutline? {
        switch algorithm {
        case "binomial-tree": AlgorithmOutline(treeRounds(reduces: true) { _ in bytes }, isSteady: false)
        case "pipelined-ring": AlgorithmOutline([pipelineRound(reduces: true)], isSteady: false)
        default: nil
        }
    }

    private var bidirectionalRing: AlgorithmOutline {
        let parts = Partition(count: elementCount, parts: 2 * ranks)
        let chunks = Double(elementCount == 0 ? parts.parts : min(parts.parts, elementCount))
        let each = chunks / Double(ranks)
        let halves = [true, false].map { reduces in
            Round(
                .shift(1), repeats: ranks - 1, transfers: chunks, sends: each, receives: each,
                bytes: Double(parts.largest * elementSize), reduces: reduces)
        }
        return AlgorithmOutline(halves, isSteady: true)
    }

    private var doubleBinaryTree: AlgorithmOutline {
        let perTree = DoubleBinaryTreeAllReduce.chunksPerTree(for: elementCount)
        let trees = elementCount == 1 ? 1.0 : 2.0
        // An inner rank has a parent and up to two children in one tree, and a parent in the other.
        let parents = ranks == 2 ? 1.0 : trees
        let children = Double(max(1, min(2, ranks - 2)))
        let up = (0..<doublings).map { level in
            Round(
                .shift(1 << level), transfers: trees * treeTransfers(level),
                sends: parents / Double(doublings), receives: children / Double(doublings),
                bytes: bytes / trees, messages: Double(perTree), reduces: true)
        }
        let down = up.reversed().map { round in
            var round = round
            swap(&round.sends, &round.receives)
            round.reduces = false
            return round
        }
        return AlgorithmOutline(up + down, isSteady: false)
    }

    private var recursiveDoubling: AlgorithmOutline {
        let guests = Double(beyond)
        var rounds = [
            Round(.exchange(1), transfers: guests, sends: 0, receives: 1, bytes: bytes, reduces: true)
        ]
        for k in 0..<logarithm {
            rounds.append(
                Round(
                    .exchange(beyond > 0 ? 2 << k : 1 << k), transfers: Double(power), sends: 1, receives: 1,
                    bytes: bytes, reduces: true))
        }
        rounds.append(Round(.exchange(1), transfers: guests, sends: 1, receives: 0, bytes: bytes))
        return AlgorithmOutline(rounds, isSteady: true)
    }

    private var halvingDoubling: AlgorithmOutline {
        let rounds = halvingRounds
        let back = rounds.reversed().map { round in
            var round = round
            swap(&round.sends, &round.receives)
            round.reduces = false
            return round
        }
        return AlgorithmOutline(rounds + back, isSteady: true)
    }

    private var halvingRounds: [Round] {
        var rounds: [Round] = []
        // The groups of ranks that halve. What none of a half has a share of is not sent: shares that are not empty are
        // those of the first ranks.
        var groups = [0..<ranks]
        while let largest = groups.map(\.count).max(), largest > 1 {
            var halves: [Range<Int>] = []
            var transfers = 0
            var odd: (groups: Int, upper: Int) = (0, 0)
            for group in groups where group.count > 1 && Double(group.lowerBound) < shares {
                let middle = group.lowerBound + (group.count + 1) / 2
                let (lower, upper) = (group.lowerBound..<middle, middle..<group.upperBound)
                halves += [lower, upper]
                transfers += upper.count
                guard Double(middle) < shares else { continue }
                transfers += upper.count
                if lower.count > upper.count { odd = (odd.groups + 1, max(odd.upper, upper.count)) }
            }
            rounds.append(
                Round(
                    .exchange((largest + 1) / 2), transfers: Double(transfers), sends: 1, receives: 1,
                    bytes: Double(largest) / 2 * share, reduces: true))
            if odd.groups > 0 {
                let given = Double(odd.upper) * share
                let pieces = max(1, min(odd.upper, Int(given) / elementSize / HalvingLevel.smallestPiece))
                rounds.append(
                    Round(
                        .exchange((largest + 1) / 2), transfers: Double(odd.groups * pieces), sends: 0,
                        receives: 1, bytes: given / Double(pieces), reduces: true, waits: false))
            }
            groups = halves
        }
        return rounds
    }
}
