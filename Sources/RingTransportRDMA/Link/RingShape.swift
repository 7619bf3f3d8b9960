/// How a ring of memory is divided into slots. Each segment that is written to it begins a new slot.
///
/// A slot is what room is counted in. Since no segment takes less, whoever may write to so many slots needs no more
/// receives than that to be posted.
struct RingShape: Hashable, Sendable {
    var slotSize: Int
    var slotCount: Int

    var byteCount: Int { slotSize * slotCount }

    /// How many slots a segment takes.
    func slots(for byteCount: Int) -> Int {
        // Most segments are small, and a division takes as long as all else that is done for one.
        byteCount <= slotSize ? (byteCount > 0 ? 1 : 0) : (byteCount + slotSize - 1) / slotSize
    }

    /// The slot that is so many, at most all, behind another one.
    func slot(_ count: Int, behind slot: Int) -> Int {
        slot + count < slotCount ? slot + count : slot + count - slotCount
    }

    /// From how many slots on room is given back in a message of its own: four such messages at most are under way.
    var creditThreshold: Int { slotCount / 4 }
    /// From how many slots on room is given back along with data.
    var smallCreditThreshold: Int { max(1, slotCount / 16) }
    /// The longest segment: short enough that several are under way.
    var segmentSize: Int { max(slotSize, min(64 << 10, byteCount / 8 / slotSize * slotSize)) }

    /// The fewest slots that work: four messages with room are told apart.
    static let fewestSlots = 8
}
