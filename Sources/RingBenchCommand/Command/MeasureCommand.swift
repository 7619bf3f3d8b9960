import ArgumentParser
import RingCommandLine
import RingCore

/// `ringbench COLLECTIVE`: measures one collective over a sweep of sizes.
struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure a collective over a sweep of sizes, and check every element of its result.",
        usage: "ringbench <collective> [<options>]",
        discussion: """
            A size is the bytes of the collective's whole buffer: for reduce-scatter and all-to-all what every \
            rank puts in, for all-gather what every rank gets out, for gather and scatter what the root has, for \
            send-recv what every rank sends to the next. Sizes are rounded down to whole elements, to one at \
            least, and for all-to-all to as many for every rank. \
            Times are those of the slowest rank. algbw is bytes / time; busbw makes it comparable with the \
            hardware's speed whatever the number of ranks. 1 GB/s is 10^9 bytes a second.

            EXAMPLES:
              ringbench all-reduce -n 4
              ringbench all-reduce -n 2 -b 1M -e 256M -f 2 --format json
              ringrun -n 4 ringbench broadcast --root 3 -d bfloat16

            OTHER COMMANDS, each with its --help:
              ringbench connect    measures how long ranks take to connect, and their memory
              ringbench explain    shows how the algorithm of a call is chosen
              ringbench plan       writes the plans of all ranks as text, and proves such a text
              ringbench simulate   predicts thousands of ranks on a described network
              ringbench tune       measures what the library chooses algorithms by
              ringbench devices    shows the RDMA devices, and what the transport auto would do

            Exit status: 0, or 64 for a command line that cannot be right, or 1 if a rank failed or a result \
            was wrong.
            """
    )

    @Argument(help: "The collective to measure.")
    var collective: Named<Collective>

    @Option(
        name: [.customShort("n"), .long],
        help: "Start this many ranks on this machine. Without it, be one rank of the launcher's job.")
    var ranks: Int?

    @Option(name: [.customShort("b"), .long], help: "The smallest size; K, M and G are powers of 1,024.")
    var minBytes: ByteSize?

    @Option(name: [.customShort("e"), .long], help: "The largest size. (default: 64M)")
    var maxBytes: ByteSize?

    @Option(name: [.customShort("f"), .long], help: "Each size is the one before times this.")
    var stepFactor: Double = SizeSweep.defaultFactor

    @Option(name: [.customShort("d"), .long], help: "The type of the elements.")
    var datatype: Named<DataType> = Named(.float32)

    @Option(name: [.customShort("o"), .long], help: "How the elements are combined.")
    var op: Named<ReductionOperator> = Named(.sum)

    @Option(help: "The root of a collective that has one.")
    var root: Int = 0

    @Option(name: [.customShort("t"), .long], help: "How bytes travel between the ranks.")
    var transport: TransportChoice = .auto

    @Option(
        name: [.customShort("a"), .long],
        help: "The algorithm by name, such as ring; auto chooses by size; file:PLAN runs the plans in a file."
    )
    var algorithm: String = "auto"

    @Option(name: [.customShort("z"), .long], help: "How elements are compressed on their way.")
    var compression: Named<Compression> = Named(.none)

    @Option(
        help: ArgumentHelp(
            "How many percent of the elements are zero, as in many gradients; the same ones on all ranks.",
            valueName: "percent"))
    var zeros: Int = 0

    @Option(
        name: [.customShort("w"), .long],
        help: "Untimed operations before the timed ones. (default: 2 to 50, fewer for larger sizes)")
    var warmup: Int?

    @Option(
        name: [.customShort("i"), .long],
        help: "Timed operations. (default: what takes a third of a second, 5 to 5000)")
    var iterations: Int?

    @Flag(
        exclusivity: .chooseLast,
        help: "Whether the result replaces the input or has its own buffer. (default: in place, if it can)")
    var placement: Placement?

    @Flag(help: "Use buffers that are registered with the transport, so that RDMA need not copy them.")
    var registered: Bool = false

    @Flag(
        help: """
            With send-recv, two ranks send in turns, and times are those of one way, half a round trip: the latency \
            as ib_write_lat and others have it. (default: both send at once)
            """)
    var pingPong: Bool = false

    @Flag(
        inversion: .prefixedNo, exclusivity: .chooseLast,
        help: "Compare every element with its exact expectation.")
    var check: Bool = true

    @Option(help: "How results are written.")
    var format: ReportFormat = .table

    @Option(help: "The seconds after which an operation fails. (default: the library's)")
    var timeout: Double?

    @Flag(help: "Corrupt one element of every checked result, to see that the check finds it.")
    var injectWrong: Bool = false
}

/// Where a result goes.
enum Placement: String, EnumerableFlag, Sendable {
    case inPlace
    case outOfPlace
}

/// The transports that a command line can name.
enum TransportChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto
    case tcp
    case rdma
}

/// The forms in which results are written.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Aligned columns for people, a line as soon as a size is measured.
    case table
    /// One document, `{"environment": {...}, "results": [{...}]}`, at the end.
    case json
    /// A line of names, then a line a size, with the keys of JSON.
    case csv
}
