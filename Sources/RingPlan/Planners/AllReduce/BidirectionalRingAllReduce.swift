package import RingCore

/// The bidirectional ring all-reduce: one half of the elements goes around one way, the other half the other
/// way, at the same time.
///
/// 2(n-1) steps in a row, each of half as many elements as in one ring; each rank sends 2(n-1)/n of the
/// elements, half of them to either neighbour. No scratch. For hosts whose links to their two neighbours do not
/// share what limits them.
package enum BidirectionalRingAllReduce: Planner {
    package static let name = "bidirectional-ring"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        let worldSize = request.worldSize
        var builder = try PlanBuilder(
            request, for: Self.self,
            chunks: Chunks(Partition(count: request.elementCount, parts: 2 * worldSize)))
        guard worldSize > 1 else { return builder.alone }
        let rings = [Ring(request), Ring(request, firstChunk: worldSize, isBackward: true)]
        let own = builder.ringReduceScatter(along: rings) { [builder] chunk, _ in builder.result(chunk) }
        builder.ringAllGather(along: rings, from: own)
        return builder.plan
    }
}
