import RingCore
import RingTransport

/// What is on its way between this rank and one peer over one link, each direction in the order of the link.
///
/// Its runner's thread alone uses it.
final class Lane {
    /// A transfer of one of the operations that the runner has in hand.
    struct Item: Hashable {
        /// The operation's place among ``Runner/active``.
        var operation: Int
        /// The transfer's place in its program.
        var transfer: Int
    }

    let peer: Rank
    /// The link; nil until the peer has made its half.
    @exclusivity(unchecked) private(set) var link: (any Link)!
    /// Whether it carries messages between two ranks, rather than the collectives' data.
    let carriesMessages: Bool

    /// Whether it is among its runner's ``Runner/lanes``.
    var isListed = false

    @exclusivity(unchecked) var sends: [Item] = []
    @exclusivity(unchecked) var sendHead = 0
    /// The end of the frame being sent, in the transfer's bytes; -1 between frames.
    @exclusivity(unchecked) var sendFrameEnd = -1
    /// How much of the first transfer the link has accepted.
    @exclusivity(unchecked) var accepted = 0
    /// Whether it uses the transfer's memory where it is.
    @exclusivity(unchecked) var isLending = false
    /// What was lent and is not settled: of which transfers, and how many bytes.
    @exclusivity(unchecked) private(set) var lent: [(item: Item, byteCount: Int)] = []
    @exclusivity(unchecked) private var lentHead = 0
    /// Whether the last attempt stopped at the link rather than at a gate.
    @exclusivity(unchecked) var isSendBlocked = false
    /// Whether frames are staged that have not left.
    @exclusivity(unchecked) var hasStaged = false

    /// The compressed segment being sent.
    var outgoing: OutgoingSegment?

    @exclusivity(unchecked) var receives: [Item] = []
    @exclusivity(unchecked) var receiveHead = 0
    /// The compressed segment being received.
    var arriving: ArrivingSegment?
    /// The end of the frame being received, in the transfer's bytes; -1 between frames.
    @exclusivity(unchecked) var receiveFrameEnd = -1
    @exclusivity(unchecked) var isReceiveBlocked = false

    /// How many messages were sent and received.
    @exclusivity(unchecked) var sentMessages: UInt32 = 0
    @exclusivity(unchecked) var receivedMessages: UInt32 = 0
    /// The message being received, and how much of it has arrived.
    @exclusivity(unchecked) var incoming: Incoming?
    @exclusivity(unchecked) var arrived = 0
    /// Where it goes meanwhile, if nobody has asked for it.
    @exclusivity(unchecked) var unexpected: UnexpectedMessage?

    /// The place among the lanes of the program that several channels work at, and the stripes under way, with how far
    /// each is.
    var place = 0
    var outgoingStripe: SharedOperation.Stripe?
    var sendPlace = 0
    var incomingStripe: SharedOperation.Stripe?
    var receivePlace = 0
    /// The header of a later operation's frame, whose payload is next on the link.
    var heldHeader: FrameHeader?
    /// Whether the last stripe was reduced, as the next one then most likely is.
    var isReducing = false
    /// Whether what comes next on the link, if anything, is not the operation's that several channels work at.
    var isExhausted = false
    /// Why nothing more comes from the link.
    var endError: CollectiveError?

    /// A message between two ranks on its way in.
    struct Incoming {
        enum Destination {
            case undecided
            case asked(Item)
            case unexpected
        }

        var signature: OperationSignature
        var byteCount: Int
        var destination = Destination.undecided
    }

    init(peer: Rank, carriesMessages: Bool) {
        self.peer = peer
        self.carriesMessages = carriesMessages
    }

    /// Makes the link, if the peer is ready for it or need not be; whether it is made.
    func connect(_ transport: any Transport, _ identifier: LinkIdentifier, deadline: Deadline) throws -> Bool
    {
        do {
            // Whoever dials goes ahead; whoever is dialled would wait for a peer that may be busy with something else.
            link = try transport.link(
                to: peer, identifier, deadline: transport.dials(peer) ? deadline : .now)
            return true
        } catch let error as CollectiveError where error.code == .timedOut && !transport.dials(peer) {
            return false
        }
    }

    /// The next frame's header, as ``Link/receiveHeader(readAhead:)``.
    func receiveHeader(readAhead: Int) throws -> FrameHeader? {
        if let heldHeader {
            self.heldHeader = nil
            return heldHeader
        }
        if let endError { throw endError }
        return try link.receiveHeader(readAhead: readAhead)
    }

    /// Whether the link uses memory of transfers.
    var hasLent: Bool { lentHead < lent.count }

    /// Takes note of bytes that were lent.
    func lend(_ byteCount: Int, of item: Item) {
        if hasLent, lent[lent.count - 1].item == item {
            lent[lent.count - 1].byteCount += byteCount
        } else {
            lent.append((item, byteCount))
        }
    }

    /// The first of the transfers of whose bytes so many have been settled, and how many of them are its own.
    func settle(_ byteCount: Int) -> (item: Item, byteCount: Int) {
        let item = lent[lentHead].item
        let count = min(byteCount, lent[lentHead].byteCount)
        lent[lentHead].byteCount -= count
        if lent[lentHead].byteCount == 0 { lentHead += 1 }
        if !hasLent { forgetLent() }
        return (item, count)
    }

    private func forgetLent() {
        guard !lent.isEmpty else { return }
        lent.removeAll(keepingCapacity: true)
        lentHead = 0
    }

    /// Has the same transfers before it once more.
    func rewind() {
        forgetLent()
        (accepted, isLending) = (0, false)
        (sendHead, receiveHead) = (0, 0)
    }

    /// Forgets what is done; the memory of the lists stays.
    func clear() {
        rewind()
        sends.removeAll(keepingCapacity: true)
        receives.removeAll(keepingCapacity: true)
        isListed = false
    }
}
