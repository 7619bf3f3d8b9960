package import RingCore

/// How the ranks of a communicator find each other: each publishes a *card* in a store and reads all others'.
///
/// A card is opaque here; it says how its rank can be connected to. The first error that any rank comes upon
/// is put into the store too, so that all ranks that still wait end at once with the same words, and one that
/// comes later is told. The cost is one request to claim the world's description, one to publish, and one
/// that waits for all cards: n cards of a few hundred bytes to each of n ranks.
package enum Rendezvous {
    /// One rank, as it described itself.
    package struct Member: Hashable, Sendable {
        /// Which process it is, for messages: `host gpu1, process 4711`.
        package var identity: String
        /// What it published.
        package var card: [UInt8]
    }

    /// The version of what ranks say to one another; ranks of different versions refuse each other.
    package static let protocolVersion: UInt16 = 1

    /// The longest card, in bytes.
    package static let cardBytes = 65_536

    /// Publishes this rank's card, waits for those of all ranks, and returns them by rank.
    ///
    /// It blocks its thread. Several communicators can use one store, each with a `prefix` of its own (at
    /// most 120 bytes), which all its ranks know.
    ///
    /// - Throws: `rendezvousFailed`, with the rank at fault where one is known: ranks missing at the deadline
    ///   or too late, doubled, out of range, of another world size or version, or gone during start-up.
    ///   What is wrong with the store itself is thrown as it is.
    package static func run(
        store: any Store, rank: Rank, worldSize: Int, card: [UInt8], identity: String, prefix: String,
        deadline: Deadline
    ) throws -> [Member] {
        try run(
            store: store, rank: rank, worldSize: worldSize, card: card, identity: identity, prefix: prefix,
            deadline: deadline, version: protocolVersion)
    }

    /// The same for a given version, so that tests can let versions meet.
    static func run(
        store: any Store, rank: Rank, worldSize: Int, card: [UInt8], identity: String, prefix: String,
        deadline: Deadline, version: UInt16
    ) throws -> [Member] {
        guard worldSize > 0, worldSize <= StoreLimits.keysPerCall else {
            throw CollectiveError(
                .rendezvousFailed,
                "a world size of \(worldSize) is out of range: it must be 1 to \(StoreLimits.keysPerCall)")
        }
        guard card.count <= cardBytes, prefix.utf8.count <= 120 else {
            throw CollectiveError(
                .invalidArgument,
                "a card may have \(cardBytes) bytes (this one: \(card.count)) and a prefix 120 "
                    + "(this one: \(prefix.utf8.count))")
        }
        let attempt = RendezvousAttempt(
            store: store, prefix: prefix, deadline: deadline, rank: rank,
            view: WorldView(worldSize: worldSize, version: version, rank: rank, identity: oneLine(identity)))
        return try attempt.run(card: card)
    }
}
