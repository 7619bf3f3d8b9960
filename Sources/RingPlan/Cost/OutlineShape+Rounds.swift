// The rounds that outlines are made of.
extension OutlineShape {
    typealias Round = AlgorithmOutline.Round

    /// n-1 steps around the ring, each of a share.
    func ringRound(reduces: Bool) -> Round {
        Round(
            .shift(1), repeats: ranks - 1, transfers: shares, sends: shares / Double(ranks),
            receives: shares / Double(ranks), bytes: share, reduces: reduces)
    }

    /// All elements from rank to rank, chunk after chunk; a rank receives them once and sends them once.
    func pipelineRound(reduces: Bool) -> Round {
        let once = ranks > 2 ? 1 / Double(ranks - 1) : 1
        let (sends, receives) = ranks > 2 ? (once, once) : reduces ? (0, 1) : (1, 0)
        return Round(
            .shift(1), repeats: ranks - 1, transfers: 1, sends: sends, receives: receives, bytes: bytes,
            messages: Double(Pipeline.chunkCount(for: elementCount)), reduces: reduces)
    }

    /// How many pairs of a rank and the one 2^k above it a binomial tree has.
    func treeTransfers(_ k: Int) -> Double {
        let distance = 1 << k
        return Double((ranks - distance + 2 * distance - 1) / (2 * distance))
    }

    /// The rounds of a binomial tree towards its root, the nearest ranks first; the root receives in each.
    ///
    /// Where there are not so many ranks as a whole tree has, no way leads through all rounds.
    func treeRounds(reduces: Bool, bytes: (_ k: Int) -> Double) -> [Round] {
        (0..<doublings).map { k in
            Round(
                .exchange(1 << k), transfers: treeTransfers(k), sends: 0, receives: 1, bytes: bytes(k),
                reduces: reduces, waits: k > 0 || beyond == 0)
        }
    }

    /// The same away from the root, the furthest ranks first.
    func treeRoundsDown(bytes: (_ k: Int) -> Double) -> [Round] {
        treeRounds(reduces: false, bytes: bytes).reversed().map { round in
            var round = round
            swap(&round.sends, &round.receives)
            return round
        }
    }

    /// The bytes of the shares below the root's k-th child.
    func subtreeBytes(_ k: Int) -> Double { Double(min(1 << k, ranks - (1 << k))) * share }

    /// The transfers between one rank and every other.
    ///
    /// Only so many others have anything to send or to get.
    func star(bytes: Double, inwards: Bool, others: Double) -> Round {
        return Round(
            .everyone, transfers: others, sends: inwards ? 0 : others, receives: inwards ? others : 0,
            bytes: bytes)
    }

    /// Everyone's contributions straight to the owners of the chunks.
    var directReduceScatter: Round {
        Round(
            .everyone, transfers: Double(ranks - 1) * shares, sends: shares - 1, receives: Double(ranks - 1),
            bytes: share, reduces: true)
    }

    /// The owners' chunks straight to everyone.
    var directAllGather: Round {
        Round(
            .everyone, transfers: Double(ranks - 1) * shares, sends: Double(ranks - 1), receives: shares - 1,
            bytes: share)
    }
}
