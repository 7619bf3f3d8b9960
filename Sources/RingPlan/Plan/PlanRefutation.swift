package import RingCore

/// Why a plan, or a set of plans, cannot be right.
package struct PlanRefutation: Error, Sendable, Hashable {
    /// What kind of fault it is.
    package var kind: Kind
    /// The rank in whose plan it shows.
    package var rank: Rank
    /// The step in which it shows, if it belongs to one.
    package var step: Int?
    /// What is wrong, in words.
    package var reason: String

    /// Creates a refutation.
    package init(_ kind: Kind, rank: Rank, step: Int? = nil, _ reason: String) {
        self.kind = kind
        self.rank = rank
        self.step = step
        self.reason = reason
    }

    /// The kinds of fault, in the order in which they are looked for.
    package enum Kind: Sendable, Hashable, CaseIterable {
        /// The plan's header cannot be right, or those of the ranks do not fit together.
        case header
        /// A slice, peer or operand lies outside what there is, or the input is written.
        case geometry
        /// A dependency names something that is not there or does not come before.
        case dependency
        /// Two accesses to the same elements conflict, and no dependency orders them.
        case race
        /// A send without its receive, or the reverse.
        case unmatched
        /// A send and its receive that do not agree on what is transferred.
        case mismatched
        /// Transfers that wait for one another in a circle.
        case deadlock
        /// Elements are read that nobody has written.
        case undefined
        /// A slice holds other elements than its chunk says.
        case misplaced
        /// A rank's contribution is reduced into the same element twice.
        case doubled
        /// A reduction is marked final and is not complete, or the reverse.
        case finality
        /// What a rank ends with is not what the collective demands.
        case result
        /// Ranks combine the same element in different orders, so that the results may differ in their last
        /// bits.
        case divergent
    }
}

extension PlanRefutation: CustomStringConvertible {
    package var description: String {
        let place = step.map { "rank \(rank), step \($0)" } ?? "rank \(rank)"
        return "\(place): \(reason)"
    }
}
