package import RingCore

/// The algorithms that there are.
package enum Planners {
    /// All of them. Of those for one collective, the first is the one to use where nothing speaks for
    /// another.
    package static let all: [any Planner.Type] = [
        RingAllReduce.self,
        BidirectionalRingAllReduce.self,
        DoubleBinaryTreeAllReduce.self,
        HalvingDoublingAllReduce.self,
        RecursiveDoublingAllReduce.self,
        BinomialTreeAllReduce.self,
        DirectAllReduce.self,
        RingReduceScatter.self,
        HalvingReduceScatter.self,
        DirectReduceScatter.self,
        RingAllGather.self,
        BruckAllGather.self,
        DirectAllGather.self,
        PipelinedRingBroadcast.self,
        BinomialTreeBroadcast.self,
        DirectBroadcast.self,
        PipelinedRingReduce.self,
        BinomialTreeReduce.self,
        DirectGather.self,
        BinomialTreeGather.self,
        DirectScatter.self,
        BinomialTreeScatter.self,
        PairwiseAllToAll.self,
        BruckAllToAll.self,
        DisseminationBarrier.self,
    ]

    /// The names of the algorithms for a collective.
    package static func names(for collective: Collective) -> [String] {
        all.filter { $0.collective == collective }.map { $0.name }
    }

    /// The algorithm that a name stands for: `tree` for the collective's fastest tree, else the one of that name.
    package static func resolved(_ name: String, for collective: Collective) -> String {
        guard name == "tree" else { return name }
        let known = names(for: collective)
        return ["double-binary-tree", "binomial-tree"].first { known.contains($0) } ?? name
    }

    /// The names of the algorithms that can carry out a request, which must be right in itself.
    package static func candidates(for request: PlanRequest) -> [String] {
        all.filter { $0.collective == request.collective && $0.objection(to: request) == nil }.map { $0.name }
    }

    /// Plans one rank's part with the algorithm of this name.
    ///
    /// - Throws: `invalidArgument` for a name that the collective does not have, or whose algorithm cannot carry
    ///   out the request, listing those that can, and for a request that no plan can meet; `unsupported` for a
    ///   collective without algorithms.
    package static func plan(_ request: PlanRequest, algorithm name: String) throws(CollectiveError) -> Plan {
        let collective = request.collective.name
        guard all.contains(where: { $0.collective == request.collective }) else {
            throw CollectiveError(.unsupported, "\(collective) has no algorithm")
        }
        let planner = all.first { $0.collective == request.collective && $0.name == name }
        let objection = planner?.objection(to: request)
        guard let planner, objection == nil else {
            let names = candidates(for: request).joined(separator: ", ")
            let what =
                objection.map { "\(name) cannot carry out this \(collective): \($0)" }
                ?? "\"\(name)\" is not an algorithm for \(collective)"
            throw CollectiveError(
                .invalidArgument, "rank \(request.rank): \(what): use one of \(names)", peer: request.rank)
        }
        return try planner.plan(request)
    }
}
