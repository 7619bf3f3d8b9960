package import RingCore

/// What one rank does in one collective: which pieces it sends to whom, and what it does with those it
/// receives.
///
/// A plan is pure data, made by a ``Planner`` and carried out by the engine over links. The plans of all
/// ranks belong together: the k-th send of rank a to rank b is received by the k-th receive of rank b from
/// rank a, both counted in step order. ``Simulator`` proves that a set of plans fits together.
///
/// A *step* is at most one send and one receive, or one local copy. Steps do not wait for one another by
/// their order: what a transfer waits for is its list of dependencies, and the transfers before it on the
/// same link.
///
/// ## Buffers
///
/// An in-place plan never uses the input: the initial contents of the output are this rank's contribution.
/// An out-of-place plan never writes the input. Sizes in elements, where `all` is ``elementCount``, and `share`
/// is the rank's part of them: evenly split, or as ``counts`` says.
///
/// | collective | input (out of place) | output (out of place) | output (in place) |
/// | --- | --- | --- | --- |
/// | all-reduce | all | all | all |
/// | broadcast | root: all; others: none | all | all |
/// | reduce | all | root: all; others: none | all; the result on the root, the others' as it was |
/// | reduce-scatter | all | share | all; the result at the share's place |
/// | all-gather | share | all | all; the contribution at the share's place |
/// | gather | share | root: all; others: none | all; the contribution at the share's place |
/// | scatter | root: all; others: none | share | all; the root's holds all, the result at the share's place |
/// | all-to-all | own row | own column | n blocks: its row at the start, its column at the end |
/// | barrier | none | none | none |
///
/// An all-to-all's elements are blocks, one for each pair of ranks, `from * n + to`. A rank's *row* is what it
/// brings, the blocks (rank, 0) to (rank, n-1) one after the other; its *column* is what it gets, the blocks
/// (0, rank) to (n-1, rank). All blocks are of one size, or of the sizes in ``counts``.
///
/// An in-place reduce-scatter leaves partial sums in the output outside its share.
package struct Plan: Sendable, Hashable {
    /// The collective that the plan carries out.
    package var collective: Collective
    /// The name of the algorithm: `ring`, `binomial-tree`; letters, digits and hyphens.
    package var algorithm: String
    /// How many ranks take part.
    package var worldSize: Int
    /// The rank whose plan this is.
    package var rank: Rank
    /// The rank where a rooted collective starts or ends; nil for the others.
    package var root: Rank?
    /// Whether the output's initial contents are this rank's contribution.
    package var isInPlace: Bool
    /// The elements of the whole collective: all ranks' shares, or all pairs' blocks, together.
    package var elementCount: Int
    /// How many elements each rank's share has (reduce-scatter, all-gather, gather, scatter), or the block of
    /// each pair of ranks (all-to-all); nil where they are split evenly.
    ///
    /// In gather, scatter and all-to-all, a rank's own plan may hold 0 for shares and blocks that it neither
    /// brings nor gets.
    package var counts: [Int]?
    /// The logical pieces that are sent as one: they tile `0..<elementCount` in order, and are the same on
    /// all ranks.
    package var chunks: Chunks
    /// How many elements of scratch memory the plan needs.
    package var scratchCount: Int
    /// What to do.
    package var steps: [Step]

    /// Creates a plan from its parts. Nothing is checked: see ``validate()`` and ``Simulator``.
    package init(
        collective: Collective, algorithm: String, worldSize: Int, rank: Rank, root: Rank? = nil,
        isInPlace: Bool, elementCount: Int, counts: [Int]? = nil, chunks: Chunks, scratchCount: Int = 0,
        steps: [Step] = []
    ) {
        self.collective = collective
        self.algorithm = algorithm
        self.worldSize = worldSize
        self.rank = rank
        self.root = root
        self.isInPlace = isInPlace
        self.elementCount = elementCount
        self.counts = counts
        self.chunks = chunks
        self.scratchCount = scratchCount
        self.steps = steps
    }
}

extension Plan {
    /// The largest element count and scratch count that a valid plan may have, so that no sum of sizes
    /// overflows.
    package static let largestCount = 1 << 48
    /// The largest world size that a valid plan may have.
    package static let largestWorldSize = 1 << 20

    /// The ranks that a plan exchanges data with.
    package struct Peers: Sendable, Hashable {
        /// The ranks that it sends to.
        package var send: Set<Rank>
        /// The ranks that it receives from.
        package var receive: Set<Rank>

        /// Creates the sets of peers.
        package init(send: Set<Rank>, receive: Set<Rank>) {
            self.send = send
            self.receive = receive
        }

        /// All of them.
        package var all: Set<Rank> { send.union(receive) }
    }

    /// The ranks that this plan exchanges data with, so that only their links need be open.
    package var peers: Peers {
        Peers(
            send: Set(steps.lazy.compactMap { $0.send?.peer }),
            receive: Set(steps.lazy.compactMap { $0.receive?.peer })
        )
    }
}
