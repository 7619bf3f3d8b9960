package import RingCore

/// A proof-checker for plans: it runs the plans of all ranks without data and finds what is wrong with them.
///
/// It knows nothing of algorithms, and takes plans from anywhere.
package enum Simulator {
    /// Proves that these plans, those of ranks 0 to n-1 in order, carry out their collective.
    ///
    /// - Each plan is valid by itself (``Plan/validate()``): geometry, dependencies, no race within a rank.
    /// - Every send has its receive, the k-th on each link, of the same chunks.
    /// - No transfers wait for one another in a circle, even when a send completes only as it is received.
    /// - Run symbolically, every slice holds the elements that its chunks say when it is read, no rank's
    ///   contribution is reduced into an element twice, a reduction is marked final exactly when it is
    ///   complete, and every rank ends with what the collective demands. In an all-reduce, every rank has
    ///   combined each element in the same order (up to the order of two operands), so that the results are
    ///   bit-identical.
    ///
    /// Since no races are left, one order of execution stands for all.
    ///
    /// Time is about proportional to the number of transfers; memory, to that and to chunks x ranks² / 8
    /// bytes.
    ///
    /// - Throws: the first fault found.
    @discardableResult
    package static func prove(_ plans: [Plan]) throws(PlanRefutation) -> Traffic {
        guard let first = plans.first else { throw PlanRefutation(.header, rank: 0, "no plans") }
        var graph = TransferGraph(worldSize: plans.count)
        for (rank, plan) in plans.enumerated() {
            try require(plan, of: rank, among: plans.count, toAgreeWith: first)
            try plan.validate()
            graph.append(plan)
        }
        let (order, criticalPath) = try graph.order()
        if first.collective == .barrier {
            var barrier = SymbolicBarrier(graph)
            try barrier.prove(order)
        } else {
            var execution = SymbolicExecution(plans)
            for node in order { try execution.run(node, of: graph) }
            try execution.proveResult()
        }
        return graph.traffic(criticalPath: criticalPath)
    }

    /// Counts what the plans of all ranks send, taking one plan at a time, for many ranks.
    ///
    /// Checks all that ``prove(_:)`` does, except what the buffers hold.
    ///
    /// - Throws: a ``PlanRefutation``, or what `plan` throws.
    package static func measure(worldSize: Int, plan: (Rank) throws -> Plan) throws -> Traffic {
        guard worldSize >= 1 else { throw PlanRefutation(.header, rank: 0, "no plans") }
        var graph = TransferGraph(worldSize: worldSize)
        var first: Plan?
        for rank in 0..<worldSize {
            let plan = try plan(rank)
            try require(plan, of: rank, among: worldSize, toAgreeWith: first ?? plan)
            try plan.validate()
            graph.append(plan)
            if rank == 0 {
                first = plan
                first?.steps = []
            }
        }
        let (_, criticalPath) = try graph.order()
        return graph.traffic(criticalPath: criticalPath)
    }

    private static func require(
        _ plan: Plan, of rank: Rank, among worldSize: Int, toAgreeWith first: Plan
    ) throws(PlanRefutation) {
        guard plan.rank == rank else {
            throw PlanRefutation(.header, rank: rank, "its place holds the plan of rank \(plan.rank)")
        }
        guard plan.worldSize == worldSize else {
            throw PlanRefutation(
                .header, rank: rank, "a plan for a world of \(plan.worldSize), among those of \(worldSize)")
        }
        func require(_ isEqual: Bool, _ what: String) throws(PlanRefutation) {
            guard isEqual else {
                throw PlanRefutation(
                    .header, rank: rank, "its plan and rank \(first.rank)'s differ in \(what)")
            }
        }
        try require(plan.collective == first.collective, "the collective")
        try require(plan.algorithm == first.algorithm, "the algorithm")
        try require(plan.root == first.root, "the root")
        try require(plan.elementCount == first.elementCount, "the element count")
        try require(plan.counts == first.counts, "the counts")
        try require(plan.chunks == first.chunks, "the chunks")
    }
}
