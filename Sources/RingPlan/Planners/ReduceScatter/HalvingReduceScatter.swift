package import RingCore

/// The reduce-scatter by recursive halving, the first half of ``HalvingDoublingAllReduce``.
///
/// ⌈log2 n⌉ steps in a row, of 1/2, 1/4, ... of the elements, and one more on a level where a group of ranks does
/// not halve evenly; all ranks together send n-1 times the elements. Out of place, sums are in scratch, as many
/// elements as this rank's half takes over first. Shares may differ in size. For short messages.
package enum HalvingReduceScatter: Planner {
    package static let name = "halving-doubling"
    package static let collective = Collective.reduceScatter

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        guard request.worldSize > 1 else { return builder.alone }
        let chunks = builder.plan.chunks
        let levels = HalvingLevel.levels(of: request.rank, among: request.worldSize, chunks: chunks)
        let first = levels.first { $0.partner != nil }
        let origin = chunks[first?.kept.lowerBound ?? 0].lowerBound
        builder.halvingReduceScatter(levels) { [builder] summed, isLast in
            if request.isInPlace || isLast { return builder.result(summed) }
            return builder.scratch(summed, at: chunks[summed.lowerBound].lowerBound - origin)
        }
        return builder.plan
    }
}
