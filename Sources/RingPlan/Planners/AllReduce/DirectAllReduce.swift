package import RingCore

/// The direct all-reduce: each rank sends its contribution to each chunk straight to the chunk's owner, who adds
/// them up and sends the result to all.
///
/// Two messages in a row, to and from the owner, though the owner adds up one contribution after the other: n
/// transfers in a row. Each rank sends 2(n-1)/n of the elements, in 2(n-1) messages. No scratch. Each contribution
/// is on the wire once, unreduced, so that a lossy encoding loses least. For few ranks.
package enum DirectAllReduce: Planner {
    package static let name = "direct"
    package static let collective = Collective.allReduce

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let own = builder.directReduceScatter()
        builder.directAllGather(from: own)
        return builder.plan
    }
}
