package import RingCore
import RingSystem

/// A network within one process, for threads as ranks: reliable streams, faults on request, and a clock of its own.
///
/// Faults are injected per directed pair of ranks, on one channel or all, and take effect on what is sent from then on. The *virtual clock*
/// lets a test see how long an algorithm would take on a network with a given latency and bandwidth, without
/// waiting: each rank has a time of its own, bytes carry the time at which they arrive, and whoever receives them
/// cannot be earlier (L. Lamport, 1978).
package final class InMemoryNetwork: Sendable {
    /// What can go wrong between two ranks.
    package enum Fault: Sendable, Hashable {
        /// The connection breaks: both ends fail.
        case drop
        /// Bytes are accepted and never arrive.
        case stall
        /// Bytes arrive this much later, in real time.
        case delay(Duration)
        /// One bit of this byte, counted from the next one sent on a link, is flipped.
        case corrupt(byte: Int)
    }

    /// What a network costs in virtual time.
    package struct Cost: Sendable, Hashable {
        /// From one rank to another.
        package var latency: Duration
        /// In bytes a second, of each link and direction.
        package var bandwidth: Double

        /// Creates a cost.
        package init(latency: Duration, bandwidth: Double) {
            self.latency = latency
            self.bandwidth = bandwidth
        }
    }

    /// Two ranks, in a direction.
    struct Direction: Hashable {
        var from: Rank
        var to: Rank
        var reversed: Direction { Direction(from: to, to: from) }
    }

    /// A fault, and the channel that it is confined to.
    struct InjectedFault: Hashable {
        var fault: Fault
        var channel: UInt16?

        func concerns(_ channel: UInt16) -> Bool { self.channel == nil || self.channel == channel }
    }

    struct LinkKey: Hashable {
        var low: Rank
        var high: Rank
        var identifier: LinkIdentifier
    }

    /// A rank as a part of one communicator.
    struct Member: Hashable {
        var rank: Rank
        var communicator: UInt32
    }

    /// How a rank's part in a communicator has ended.
    struct Ending {
        var failure: CollectiveError?
        /// Whether others ask for links in vain.
        var isRetired = false
    }

    struct State {
        var pipes: [Direction: [(channel: UInt16, pipe: InMemoryPipe)]] = [:]
        var faults: [Direction: [InjectedFault]] = [:]
        /// Links of which one end has been asked for.
        var halves: [LinkKey: InMemoryStream] = [:]
        var failures: [Rank: CollectiveError] = [:]
        var endings: [Member: Ending] = [:]
        var shutDown: Set<Rank> = []
        var linkCount = 0
    }

    /// How many ranks there are.
    package let worldSize: Int
    /// How many bytes a link holds in each direction before its sender must wait.
    package let capacity: Int
    let cost: Cost?
    let state = Monitor(State())
    private let clocks: [VirtualClock]

    /// A network of `worldSize` ranks. With a cost, virtual time passes.
    package init(worldSize: Int, capacity: Int = 256 << 10, cost: Cost? = nil) {
        self.worldSize = worldSize
        self.capacity = capacity
        self.cost = cost
        clocks = (0..<worldSize).map { _ in VirtualClock() }
    }

    /// The endpoint of a rank.
    package func transport(for rank: Rank) -> InMemoryTransport {
        precondition((0..<worldSize).contains(rank), "there is no rank \(rank) of \(worldSize)")
        return InMemoryTransport(network: self, rank: rank)
    }

    /// Lets something go wrong from one rank to another, on the links that they have and will have: those of one
    /// channel, or all.
    package func inject(_ fault: Fault, from: Rank, to: Rank, channel: UInt16? = nil) {
        let direction = Direction(from: from, to: to)
        let injected = InjectedFault(fault: fault, channel: channel)
        let pipes = state.withLock { state in
            // A fault of all channels takes the place of those before it, as one of a channel does there.
            state.faults[direction, default: []].removeAll { channel == nil || $0.channel == channel }
            state.faults[direction, default: []].append(injected)
            let back = fault == .drop ? state.pipes[direction.reversed] ?? [] : []
            return (state.pipes[direction] ?? []) + back
        }
        for (channel, pipe) in pipes where injected.concerns(channel) { pipe.inject(fault) }
    }

    /// How many bytes one rank has sent another on a channel.
    package func bytesSent(from: Rank, to: Rank, channel: UInt16) -> Int {
        let pipes = state.withLock { $0.pipes[Direction(from: from, to: to)] ?? [] }
        return pipes.reduce(0) { $0 + ($1.channel == channel ? $1.pipe.bytesWritten : 0) }
    }

    /// How far a rank's virtual clock has come.
    package func virtualTime(of rank: Rank) -> Duration { clocks[rank].now }

    /// How many links have been made.
    package var linkCount: Int { state.withLock { $0.linkCount } }

    /// Whether a rank's transport has been shut down.
    package func isShutDown(_ rank: Rank) -> Bool { state.withLock { $0.shutDown.contains(rank) } }

    func clock(of rank: Rank) -> VirtualClock { clocks[rank] }

    /// Makes a pipe and applies the faults that were injected before. The state's lock must be held.
    func makePipe(from: Rank, to: Rank, channel: UInt16, _ state: inout State) -> InMemoryPipe {
        let direction = Direction(from: from, to: to)
        let pipe = InMemoryPipe(
            capacity: capacity, cost: cost, sender: clocks[from], receiver: clocks[to])
        for injected in state.faults[direction] ?? [] where injected.concerns(channel) {
            pipe.inject(injected.fault)
        }
        for injected in state.faults[direction.reversed] ?? []
        where injected.fault == .drop && injected.concerns(channel) {
            pipe.inject(.drop)
        }
        state.pipes[direction, default: []].append((channel, pipe))
        return pipe
    }
}

/// A rank's own time on a virtual network.
final class VirtualClock: Sendable {
    private let time = Monitor(Duration.zero)

    var now: Duration { time.withLock { $0 } }

    /// What the rank does next happens no earlier than this.
    func advance(to later: Duration) {
        time.withLock { $0 = max($0, later) }
    }
}
