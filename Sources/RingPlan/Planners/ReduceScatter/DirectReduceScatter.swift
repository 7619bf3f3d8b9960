package import RingCore

/// The direct reduce-scatter: each rank sends its contribution to each chunk straight to the chunk's owner, who
/// adds them up.
///
/// One message in a row, though the owner adds up one contribution after the other: n-1 transfers in a row. Each
/// rank sends (n-1)/n of the elements, in n-1 messages. No scratch. Shares may differ in size. For few ranks.
package enum DirectReduceScatter: Planner {
    package static let name = "direct"
    package static let collective = Collective.reduceScatter

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let own = builder.directReduceScatter()
        builder.place(own, in: builder.result(request.rank))
        return builder.plan
    }
}
