import RingCore

/// What an algorithm asks of ranks, processors and network, in a few numbers: enough to predict its time
/// without making a plan.
///
/// It is a list of *rounds*, alike transfers that can happen at once; as a rule a round waits for the one before.
package struct AlgorithmOutline: Sendable, Hashable {
    /// Which ranks a round connects.
    package enum Reach: Sendable, Hashable {
        /// Rank r sends to r + distance, around the end.
        case shift(Int)
        /// Ranks exchange, or one of them sends, across this distance, in aligned groups of twice that.
        case exchange(Int)
        /// All pairs, or one rank and all others.
        case everyone
    }

    /// Alike transfers that can happen at once.
    package struct Round: Sendable, Hashable {
        /// Which ranks it connects.
        package var reach: Reach
        /// How often in a row it happens.
        package var repeats: Int
        /// How many transfers there are each time, of all ranks together.
        package var transfers: Double
        /// How many of them the busiest rank sends, on average over the repeats.
        package var sends: Double
        /// How many of them it receives.
        package var receives: Double
        /// The bytes of one transfer.
        package var bytes: Double
        /// How many messages a transfer is cut into.
        package var messages: Double
        /// Whether receivers combine what they receive with their own.
        package var reduces: Bool
        /// Whether it waits for what the round before brought.
        package var waits: Bool

        /// Creates a round.
        package init(
            _ reach: Reach, repeats: Int = 1, transfers: Double, sends: Double, receives: Double,
            bytes: Double, messages: Double = 1, reduces: Bool = false, waits: Bool = true
        ) {
            self.reach = reach
            self.repeats = repeats
            self.transfers = transfers
            self.sends = sends
            self.receives = receives
            self.bytes = bytes
            self.messages = messages
            self.reduces = reduces
            self.waits = waits
        }
    }

    /// The rounds, in their order.
    package var rounds: [Round]
    /// Whether every rank has something to move from the start to the end, so that filling the pipeline and
    /// moving the bulk go on together; else the bulk comes after the first piece has come all the way.
    package var isSteady: Bool
    /// The bytes that the busiest rank copies within its memory.
    package var copiedBytes: Double

    /// Creates an outline.
    package init(_ rounds: [Round], isSteady: Bool, copiedBytes: Double = 0) {
        self.rounds = rounds.filter { $0.repeats > 0 && $0.transfers > 0 }
        self.isSteady = isSteady
        self.copiedBytes = copiedBytes
    }

    /// The number of transfers in a row.
    package var steps: Int { rounds.reduce(0) { $0 + ($1.waits ? $1.repeats : 0) } }

    /// The bytes that the busiest rank sends.
    package var bytesSent: Double { rounds.reduce(0) { $0 + Double($1.repeats) * $1.sends * $1.bytes } }

    /// The bytes that all ranks send together.
    package var totalBytes: Double { rounds.reduce(0) { $0 + Double($1.repeats) * $1.transfers * $1.bytes } }

    /// The messages that all ranks send together.
    package var messageCount: Double {
        rounds.reduce(0) { $0 + Double($1.repeats) * $1.transfers * $1.messages }
    }
}

extension AlgorithmOutline {
    /// The outline of an algorithm of this package, by its name; nil for one that it does not know.
    package static func outline(_ algorithm: String, _ query: CostQuery) -> AlgorithmOutline? {
        let shape = OutlineShape(query)
        var outline: AlgorithmOutline? =
            switch query.collective {
            case .allReduce: shape.allReduce(algorithm)
            case .reduceScatter: shape.reduceScatter(algorithm)
            case .allGather: shape.allGather(algorithm)
            case .broadcast: shape.broadcast(algorithm)
            case .reduce: shape.reduce(algorithm)
            case .gather: shape.gather(algorithm)
            case .scatter: shape.scatter(algorithm)
            case .allToAll: shape.allToAll(algorithm)
            case .barrier: shape.barrier(algorithm)
            case .sendReceive: nil
            }
        if query.topology.worldSize == 1 { outline?.rounds = [] }
        return outline
    }
}

/// The numbers that the outlines are made of.
struct OutlineShape {
    /// How many ranks there are.
    let ranks: Int
    /// The bytes of the whole collective, and of a rank's share of them.
    let bytes: Double
    let share: Double
    /// How many ranks have a share that is not empty.
    let shares: Double
    /// The largest power of two that is not above the ranks, its logarithm, and how many ranks are beyond it.
    let power: Int
    let logarithm: Int
    let beyond: Int
    /// Whether the result has a buffer of its own.
    let isOutOfPlace: Bool
    let elementCount: Int
    let elementSize: Int

    init(_ query: CostQuery) {
        ranks = query.topology.worldSize
        elementCount = query.elementCount
        elementSize = query.elementSize
        bytes = Double(query.byteCount)
        share = Double(Partition(count: elementCount, parts: ranks).largest * query.elementSize)
        // Nothing at all is sent as so many empty messages.
        shares = Double(elementCount == 0 ? ranks : min(ranks, elementCount))
        logarithm = Int.bitWidth - 1 - ranks.leadingZeroBitCount
        power = 1 << logarithm
        beyond = ranks - power
        isOutOfPlace = !query.isInPlace
    }

    /// The number of rounds in which what one rank has reaches all: ⌈log2 n⌉.
    var doublings: Int { logarithm + (beyond > 0 ? 1 : 0) }
}
