package import RingCore

/// The ring all-reduce: a reduce-scatter around the ring, then an all-gather around it.
///
/// 2(n-1) steps in a row; each rank sends 2(n-1)/n of the elements, which is the least possible. No scratch.
/// The rank that completes a chunk is the only one to do so and all others copy it, so that the results are
/// bit-identical. From Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of
/// workstations" (2009).
package enum RingAllReduce: Planner {
    package static let name = "ring"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let own = builder.ringReduceScatter(along: [Ring(request)]) { [builder] chunk, _ in
            builder.result(chunk)
        }
        builder.ringAllGather(along: [Ring(request)], from: own)
        return builder.plan
    }
}
