import RingCore
import RingTransport

/// A message that arrived before anybody asked for it, or while others were asked for.
final class UnexpectedMessage {
    let signature: OperationSignature
    private let memory: UnsafeMutableRawBufferPointer
    /// How many of its bytes have arrived.
    var arrived = 0

    init(_ signature: OperationSignature, byteCount: Int) {
        self.signature = signature
        memory = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit {
        memory.deallocate()
    }

    var byteCount: Int { memory.count }

    /// Where the bytes go that have not arrived.
    var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[arrived...]) }

    /// Copies the whole message to where it was asked for.
    func copy(to destination: UnsafeMutableRawPointer?) {
        guard let destination, let source = memory.baseAddress, memory.count > 0 else { return }
        destination.copyMemory(from: source, byteCount: memory.count)
    }
}

/// Messages between two ranks that have arrived and wait to be asked for.
///
/// A receiver that asks for tags in another order than they were sent gets each all the same, as long as what is kept
/// in between fits. Beyond that the link stops, and the sender waits.
struct Mailbox {
    private let rank: Rank
    private let capacity: Int
    private var messages: [(peer: Rank, message: UnexpectedMessage)] = []
    private var byteCount = 0

    init(rank: Rank, capacity: Int) {
        self.rank = rank
        self.capacity = capacity
    }

    var isEmpty: Bool { messages.isEmpty }

    /// Whether a message of so many bytes may be kept.
    func hasRoom(for byteCount: Int) -> Bool { byteCount <= capacity - self.byteCount }

    mutating func keep(_ message: UnexpectedMessage, from peer: Rank) {
        messages.append((peer, message))
        byteCount += message.byteCount
    }

    /// The first message from a rank with a tag.
    mutating func take(from peer: Rank, tag: UInt32) -> UnexpectedMessage? {
        guard
            let index = messages.firstIndex(where: { $0.peer == peer && $0.message.signature.detail == tag })
        else { return nil }
        let message = messages.remove(at: index).message
        byteCount -= message.byteCount
        return message
    }

    /// What is there, for whoever wonders why nothing comes: nil if nothing is.
    var note: String? {
        guard !messages.isEmpty else { return nil }
        let shown = messages.prefix(4).map { "\($0.message.signature) from rank \($0.peer)" }
        let more = messages.count > 4 ? " and \(messages.count - 4) more" : ""
        return "rank \(rank) has messages that nobody received: \(shown.joined(separator: "; "))\(more)"
    }
}
