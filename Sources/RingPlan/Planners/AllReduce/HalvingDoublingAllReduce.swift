package import RingCore

/// Rabenseifner's all-reduce: a reduce-scatter by recursive halving, then an all-gather by recursive doubling.
///
/// 2⌈log2 n⌉ steps in a row, of 1/2, 1/4, ... of the elements and back. All ranks together send 2(n-1) times the
/// elements, which is the least possible, and each about 2(n-1)/n of them. Where a group of ranks does not halve
/// evenly, the one without a partner hands its contribution over in pieces, one more message in a row on that level
/// (see ``HalvingLevel``); no rank sits out, and nothing is sent twice. No scratch. For middle sizes. After
/// Rabenseifner, "Optimization of collective reduction operations" (2004); the odd groups are this project's own.
package enum HalvingDoublingAllReduce: Planner {
    package static let name = "halving-doubling"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        guard request.worldSize > 1 else { return builder.alone }
        let levels = HalvingLevel.levels(
            of: request.rank, among: request.worldSize, chunks: builder.plan.chunks)
        reduce(levels, in: &builder)
        gather(levels.reversed(), in: &builder)
        return builder.plan
    }

    private static func reduce(_ levels: [HalvingLevel], in builder: inout PlanBuilder) {
        // Out of place, sums are in the output from the first level with a partner on.
        var isSum = false
        for level in levels {
            func held(_ chunks: Range<Int>) -> Slice {
                isSum ? builder.result(chunks) : builder.contribution(chunks)
            }
            let isLast = level.kept.count == 1
            if let partner = level.partner {
                builder.step(
                    send: Send(peer: partner, source: held(level.given)),
                    receive: Receive(
                        peer: partner, destination: builder.result(level.kept),
                        action: .reduce(own: held(level.kept), isFinal: isLast && level.taken == nil)))
                isSum = true
            }
            for piece in level.pieces {
                builder.step(send: Send(peer: piece.taker, source: held(piece.chunks)))
            }
            if let taken = level.taken {
                let sum = builder.result(taken.chunks)
                builder.step(
                    receive: Receive(
                        peer: taken.giver, destination: sum, action: .reduce(own: sum, isFinal: isLast)))
            }
        }
    }

    private static func gather(_ levels: [HalvingLevel], in builder: inout PlanBuilder) {
        for level in levels {
            if let partner = level.partner {
                builder.step(
                    send: Send(peer: partner, source: builder.result(level.kept)),
                    receive: Receive(peer: partner, destination: builder.result(level.given)))
            }
            for piece in level.pieces {
                builder.step(receive: Receive(peer: piece.taker, destination: builder.result(piece.chunks)))
            }
            if let taken = level.taken {
                builder.step(send: Send(peer: taken.giver, source: builder.result(taken.chunks)))
            }
        }
    }
}
