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
        builder.halvingReduceScatter(levels) { [builder] chunks, _ in builder.result(chunks) }
        builder.doublingAllGather(levels)
        return builder.plan
    }
}
