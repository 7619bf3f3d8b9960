package import RingCore

/// The plans of all ranks of one collective, from a text that anyone may have written, proved to be right.
///
/// The text is what ``Plan/description`` prints, the ranks' plans one after the other in any order. A plan is for
/// one number of elements, one root and one set of counts; whether each rank is in place is as its own plan says.
package struct PlanFile: Sendable {
    /// The plans, in the order of their ranks; at least one.
    package let plans: [Plan]
    /// What they send.
    package let traffic: Traffic
    /// The FNV-1a hash of the text: ranks that read the same text have the same digest.
    package let digest: UInt32

    /// Reads and proves a text.
    ///
    /// - Throws: `invalidArgument`, in one line: the place and what was expected there, which ranks' plans are
    ///   missing or given twice, or the fault that the simulator found.
    package init(parsing text: String) throws(CollectiveError) {
        var places: [(plan: Plan, line: Int)?] = []
        for (plan, line) in try Plan.numberedPlans(parsing: text) {
            let first = places.lazy.compactMap { $0 }.first
            let worldSize = first?.plan.worldSize ?? plan.worldSize
            guard worldSize >= 1, worldSize <= Plan.largestWorldSize else {
                throw Self.failure(
                    line, "a world size of \(worldSize); it must be 1 to \(Plan.largestWorldSize)")
            }
            if places.isEmpty { places = Array(repeating: nil, count: worldSize) }
            guard plan.worldSize == worldSize else {
                throw Self.failure(line, "a plan for \(plan.worldSize) ranks, among those for \(worldSize)")
            }
            guard plan.rank < worldSize else {
                throw Self.failure(line, "the plan of rank \(plan.rank), among \(worldSize) ranks")
            }
            if let earlier = places[plan.rank] {
                throw Self.failure(
                    line, "a second plan of rank \(plan.rank), which has one on line \(earlier.line)")
            }
            places[plan.rank] = (plan, line)
        }
        guard !places.isEmpty else { throw CollectiveError(.invalidArgument, "plan: the text holds no plan") }
        let missing = places.indices.filter { places[$0] == nil }
        guard missing.isEmpty else {
            let shown = missing.prefix(8).map { "\($0)" }.joined(separator: ", ")
            let rest = missing.count > 8 ? " and \(missing.count - 8) more" : ""
            throw CollectiveError(
                .invalidArgument, "plan: of \(places.count) ranks, the plans of \(shown)\(rest) are missing")
        }
        plans = places.compactMap { $0?.plan }
        do {
            traffic = try Simulator.prove(plans)
        } catch {
            let line = places[min(max(0, error.rank), places.count - 1)]?.line ?? 0
            throw CollectiveError(
                .invalidArgument, "plan: refuted: \(error) (the plan that starts on line \(line))")
        }
        digest = text.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    /// The text of the plans of all ranks, which ``init(parsing:)`` reads.
    package static func text(of plans: [Plan]) -> String {
        plans.map(\.description).joined(separator: "\n")
    }

    private static func failure(_ line: Int, _ reason: String) -> CollectiveError {
        CollectiveError(.invalidArgument, "plan, line \(line): \(reason)")
    }
}

extension PlanFile {
    /// The plan of a rank of the world that the plans are for.
    package func plan(for rank: Rank) -> Plan { plans[rank] }

    /// The plan that carries out a request.
    ///
    /// - Throws: `invalidArgument`, naming what the plans are for and what was asked for, if those differ.
    package func plan(for request: PlanRequest) throws(CollectiveError) -> Plan {
        try request.validate()
        let first = plans[0]
        func require<Value: Equatable>(
            _ what: String, _ wanted: Value, _ found: Value, text: (Value) -> String
        ) throws(CollectiveError) {
            guard wanted != found else { return }
            throw CollectiveError(
                .invalidArgument,
                "rank \(request.rank): the plan file is for \(what) \(text(found)), the call is for "
                    + text(wanted),
                peer: request.rank)
        }
        try require("the collective", request.collective, first.collective) { $0.name }
        try require("a world size of", request.worldSize, first.worldSize) { "\($0)" }
        try require("an element count of", request.elementCount, first.elementCount) { "\($0)" }
        try require("the root", request.collective.isRooted ? request.root : nil, first.root) {
            $0.map { "\($0)" } ?? "none"
        }
        let plan = plans[request.rank]
        try require("counts of", request.counts, plan.counts) { counts in
            counts.map { "\($0)" } ?? "an even split"
        }
        try require("buffers", request.isInPlace, plan.isInPlace) { $0 ? "in place" : "out of place" }
        return plan
    }
}
