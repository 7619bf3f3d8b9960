package import RingCore

/// An algorithm: a pure function from what is wanted to a rank's plan.
///
/// ## Adding an algorithm
///
/// 1. Write one file with an enum that conforms to this protocol. Make a ``PlanBuilder`` from the request,
///    say what the chunks are, and call ``PlanBuilder/step(send:receive:)`` for each exchange, in the order
///    in which data flow. The builder finds the dependencies, leaves out empty chunks and numbers the steps,
///    so the file holds the pattern of the algorithm and nothing else. Where a rank's own data must end in
///    the output, call ``PlanBuilder/place(_:in:)``.
/// 2. All ranks must compute the same chunks, and the k-th send from a to b must be the k-th receive at b
///    from a. A step cannot overwrite what it sends: receive into another slice (scratch) and go on from
///    there.
/// 3. Let each element be completed in one place and copied from there, or be combined by every rank in the
///    same order; else ranks end with different last bits, which the simulator refutes.
/// 4. Add the type to ``Planners/all``, and a test to `PlannerProofTests` that proves it with ``Simulator`` for
///    every world size from 1 to 64 and says how many steps and elements it takes.
///
/// The doc comment of the type says what it costs (steps in a row, elements that each rank sends) and where
/// the idea is from.
package protocol Planner: Sendable {
    /// The algorithm's name, as command lines take it: letters, digits and hyphens.
    static var name: String { get }

    /// The collective that it plans.
    static var collective: Collective { get }

    /// Why this algorithm cannot carry out a request that is right in itself; nil if it can.
    ///
    /// All ranks of a collective must come to the same answer. The default has no objection.
    static func objection(to request: PlanRequest) -> String?

    /// Plans one rank's part.
    ///
    /// The plan depends on nothing but the request; requests that differ only in their rank (and in whether
    /// they are in place) give plans that fit together.
    ///
    /// - Throws: `invalidArgument` for a request that no plan can meet.
    static func plan(_ request: PlanRequest) throws(CollectiveError) -> Plan
}

extension Planner {
    package static func objection(to request: PlanRequest) -> String? { nil }
}
