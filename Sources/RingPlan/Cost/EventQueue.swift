/// What is to happen when, the earliest first; of two at the same time, the one that was added first.
struct EventQueue {
    struct Event {
        var time: Double
        var kind: Kind
        /// The action that it concerns, or the rank that wakes.
        var subject: Int32
        var byteCount: Int
        fileprivate var number: Int = 0

        init(time: Double, _ kind: Kind, _ subject: Int32, byteCount: Int = 0) {
            self.time = time
            self.kind = kind
            self.subject = subject
            self.byteCount = byteCount
        }

        enum Kind: UInt8 {
            /// A thread has moved bytes of an action.
            case moved
            /// Bytes arrive for an action.
            case arrived
            /// A thread that slept wants a processor.
            case woken
        }

        fileprivate func comes(before other: Event) -> Bool {
            time < other.time || (time == other.time && number < other.number)
        }
    }

    // A binary heap: no event comes before its parent, at half its index.
    private var events: [Event] = []
    private var added = 0

    mutating func add(_ event: Event) {
        var event = event
        event.number = added
        added += 1
        var place = events.count
        events.append(event)
        while place > 0 {
            let parent = (place - 1) / 2
            guard event.comes(before: events[parent]) else { break }
            events[place] = events[parent]
            place = parent
        }
        events[place] = event
    }

    /// Takes out the next event; nil if there is none.
    mutating func next() -> Event? {
        guard let first = events.first, let last = events.popLast() else { return nil }
        guard !events.isEmpty else { return first }
        var place = 0
        while true {
            var child = 2 * place + 1
            guard child < events.count else { break }
            if child + 1 < events.count, events[child + 1].comes(before: events[child]) { child += 1 }
            guard events[child].comes(before: last) else { break }
            events[place] = events[child]
            place = child
        }
        events[place] = last
        return first
    }
}
