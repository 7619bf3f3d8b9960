import RingCore
import RingPlan

/// A plan made ready to run on one channel: offsets in bytes, and each link's transfers in order.
///
/// Every transfer is cut into a part a channel; a channel runs the whole plan on its own part of each. The cuts are at
/// the same distances from the start of every slice, whatever its length, so that of slices that use the same memory
/// one after the other (a slot of scratch for chunks of different sizes) each channel has the same elements. So the
/// channels never wait for each other.
final class PlanProgram: Sendable {
    /// A place in one of the operation's buffers.
    struct Place: Sendable {
        var buffer: Buffer
        var offset: Int
    }

    /// What a transfer does with its bytes.
    enum Work: Sendable {
        case send
        case receive
        case reduce(own: Place, isFinal: Bool)
        case copy(from: Place)
    }

    /// How far another transfer lets this one go.
    struct Gate: Sendable {
        var transfer: Int
        /// Byte by byte behind the other one, rather than not before its end.
        var isStreaming: Bool
    }

    /// One send, receive or local copy.
    struct Transfer: Sendable {
        var work: Work
        /// Where the bytes are, or go to.
        var place: Place
        var byteCount: Int
        var chunk: UInt32
        var gates: Range<Int>
    }

    /// The transfers with one peer, each direction in the order in which they use the link.
    struct Lane: Sendable {
        var peer: Rank
        var sends: [Int] = []
        var receives: [Int] = []
    }

    let transfers: [Transfer]
    let gates: [Gate]
    let lanes: [Lane]
    let copies: [Int]
    let scratchByteCount: Int

    /// Prepares `plan` for channel `channel` of `channels`, with elements of `elementSize` bytes.
    init(_ plan: Plan, elementSize: Int, channel: Int, channels: Int) {
        var longest = 0
        for step in plan.steps {
            for slice in [step.send?.source, step.receive?.destination, step.copy?.destination] {
                longest = max(longest, slice?.range.count ?? 0)
            }
        }
        var builder = Builder(
            elementSize: elementSize, channel: channel,
            cut: Partition(count: longest, parts: channels)[channel])
        for (step, parts) in plan.steps.enumerated() { builder.add(parts, at: step) }
        builder.connect(plan)
        transfers = builder.transfers
        gates = builder.gates
        lanes = builder.lanes
        copies = builder.copies
        scratchByteCount = plan.scratchCount * elementSize
    }
}

extension PlanProgram {
    private struct Builder {
        let elementSize: Int
        let channel: Int
        /// This channel's part of the longest slice; of a shorter one it has what there is of it.
        let cut: Range<Int>
        var transfers: [Transfer] = []
        var gates: [Gate] = []
        var lanes: [Lane] = []
        var copies: [Int] = []
        /// Where in the plan each transfer comes from, to find what dependencies mean.
        private var sent: [Int: Int] = [:]
        private var received: [Int: Int] = [:]
        private var dependencies: [(after: [Dependency], slices: [Slice])] = []

        init(elementSize: Int, channel: Int, cut: Range<Int>) {
            self.elementSize = elementSize
            self.channel = channel
            self.cut = cut
        }

        mutating func add(_ step: Step, at index: Int) {
            if let copy = step.copy {
                received[index] = add(
                    .copy(from: place(copy.source)), copy.destination, copy.after,
                    [copy.source, copy.destination])
                copies.append(transfers.count - 1)
            }
            if let send = step.send, !isEmptyHere(send.source) {
                sent[index] = add(.send, send.source, send.after, [send.source])
                lanes[lane(send.peer)].sends.append(transfers.count - 1)
            }
            if let receive = step.receive, !isEmptyHere(receive.destination) {
                var work = Work.receive
                var slices = [receive.destination]
                if case .reduce(let own, let isFinal) = receive.action {
                    work = .reduce(own: place(own), isFinal: isFinal)
                    slices.append(own)
                }
                received[index] = add(work, receive.destination, receive.after, slices)
                lanes[lane(receive.peer)].receives.append(transfers.count - 1)
            }
        }

        /// Turns the dependencies into gates.
        mutating func connect(_ plan: Plan) {
            for index in transfers.indices {
                let start = gates.count
                for dependency in dependencies[index].after {
                    let other: Int? =
                        switch dependency {
                        case .sent(let step): sent[step]
                        case .received(let step): received[step]
                        }
                    // A transfer that is empty on this channel is not there to wait for.
                    guard let other else { continue }
                    gates.append(Gate(transfer: other, isStreaming: streams(index, behind: other)))
                }
                transfers[index].gates = start..<gates.count
            }
        }

        /// Whether one transfer can follow another byte by byte: wherever both touch a buffer, they touch the same
        /// slice of it.
        private func streams(_ index: Int, behind other: Int) -> Bool {
            if case .copy = transfers[index].work { return false }
            if case .copy = transfers[other].work { return false }
            var shares = false
            for slice in dependencies[index].slices {
                for otherSlice in dependencies[other].slices where slice.overlaps(otherSlice) {
                    if slice.range != otherSlice.range { return false }
                    shares = true
                }
            }
            return shares
        }

        private mutating func add(_ work: Work, _ slice: Slice, _ after: [Dependency], _ slices: [Slice])
            -> Int
        {
            transfers.append(
                Transfer(
                    work: work, place: place(slice), byteCount: part(slice).count * elementSize,
                    chunk: UInt32(truncatingIfNeeded: slice.chunks.lowerBound), gates: 0..<0))
            dependencies.append((after, slices))
            return transfers.count - 1
        }

        private func part(_ slice: Slice) -> Range<Int> {
            cut.clamped(to: 0..<slice.range.count)
        }

        private func place(_ slice: Slice) -> Place {
            Place(
                buffer: slice.buffer, offset: (slice.range.lowerBound + part(slice).lowerBound) * elementSize)
        }

        /// A slice with elements of which none falls to this channel. An empty slice is a bare signal, sent on the
        /// first channel.
        private func isEmptyHere(_ slice: Slice) -> Bool {
            slice.range.isEmpty ? channel > 0 : part(slice).isEmpty
        }

        private mutating func lane(_ peer: Rank) -> Int {
            if let index = lanes.firstIndex(where: { $0.peer == peer }) { return index }
            lanes.append(Lane(peer: peer))
            return lanes.count - 1
        }
    }
}
