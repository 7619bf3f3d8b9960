package import RingCore

/// The algorithms that there are.
package enum Planners {
    /// All of them. Of those for one collective, the first is the one to use where nothing speaks for
    /// another.
    package static let all: [any Planner.Type] = [
        RingAllReduce.self,
        RingReduceScatter.self,
        RingAllGather.self,
        PipelinedRingBroadcast.self,
        BinomialTreeBroadcast.self,
        DisseminationBarrier.self,
    ]

    /// The names of the algorithms for a collective.
    package static func names(for collective: Collective) -> [String] {
        all.filter { $0.collective == collective }.map { $0.name }
    }

    /// Plans one rank's part with the algorithm of this name.
    ///
    /// - Throws: `invalidArgument` for a name that the collective does not have, listing those that it has,
    ///   and for a request that no plan can meet; `unsupported` for a collective without algorithms.
    package static func plan(_ request: PlanRequest, algorithm name: String) throws(CollectiveError) -> Plan {
        let candidates = all.filter { $0.collective == request.collective }
        let planner = candidates.first { $0.name == name }
        guard let planner else {
            let collective = request.collective.name
            guard !candidates.isEmpty else {
                throw CollectiveError(.unsupported, "\(collective) has no algorithm")
            }
            let names = candidates.map { $0.name }.joined(separator: ", ")
            throw CollectiveError(
                .invalidArgument,
                "rank \(request.rank): \"\(name)\" is not an algorithm for \(collective): use one of \(names)",
                peer: request.rank)
        }
        return try planner.plan(request)
    }
}
