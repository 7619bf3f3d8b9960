package import RingCore

/// The ring reduce-scatter: partial sums go around, and each chunk ends complete on the rank of its number.
///
/// n-1 steps in a row; each rank sends (n-1)/n of the elements, which is the least possible. In place,
/// partial sums replace the contributions. Out of place, they alternate between two slots of scratch, each
/// the size of the largest chunk: one is sent while the next is received; the last goes straight to the
/// output. Shares may differ in size.
package enum RingReduceScatter: Planner {
    package static let name = "ring"
    package static let collective = Collective.reduceScatter

    package static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan {
        var builder = try PlanBuilder(request, for: Self.self, chunks: request.parts)
        let largest = builder.plan.chunks.largest
        let own = builder.ringReduceScatter(along: [Ring(request)]) { [builder] chunk, step in
            if request.isInPlace || chunk == request.rank { return builder.result(chunk) }
            return builder.scratch(chunk, at: step % 2 * largest)
        }
        builder.place(own[0], in: builder.result(request.rank))
        return builder.plan
    }
}
