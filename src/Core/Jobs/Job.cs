using System.Text.Json.Serialization;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Jobs.Records;
using OllamaMax.Placement;
using OllamaMax.Security;

namespace OllamaMax.Jobs;

/// <summary>
/// One inference to run on one worker. Everything that decides the answer is fixed here, so that any attempt
/// of it, on any worker, goes the same way: the prompt is rendered, the seed drawn, the model named by digest.
/// </summary>
public sealed record Job
{
    /// <summary>Unique; 26 characters, sorted by time (see <see cref="JobId"/>).</summary>
    public required string Id { get; init; }

    /// <summary>The id that the client sees in <c>x-request-id</c>; it runs through log, trace and worker.</summary>
    public required string RequestId { get; init; }

    /// <summary>W3C <c>traceparent</c> of the request, null where it is not traced.</summary>
    public string? TraceParent { get; init; }

    public required string Tenant { get; init; }

    /// <summary>Whose key asked, for what is counted; null: nobody's. No worker needs it.</summary>
    [JsonIgnore]
    public string? Credential { get; init; }

    /// <summary>The limits of <see cref="Credential"/>; null: none. No worker needs them.</summary>
    [JsonIgnore]
    public UsageLimits? Limits { get; init; }

    public Band Band { get; init; }

    /// <summary>Digest of the weights, <c>sha256:…</c>, or <see cref="ForwardedDigest"/>.</summary>
    public required string Model { get; init; }

    /// <summary>The model's name as the client wrote it, for records; null where nobody has said it. No worker needs it.</summary>
    [JsonIgnore]
    public string? ModelName { get; init; }

    /// <summary>
    /// The model's own name, where <see cref="ModelName"/> may be an alias, for records and for the worker's log: whoever reads that knows models by name, and a worker knows digests. Null where
    /// nobody has said it.
    /// </summary>
    public string? AnsweredBy { get; init; }

    /// <summary>Which API's call it is, for records; null for what no background job can be. No worker needs it.</summary>
    [JsonIgnore]
    public RequestShape? Shape { get; init; }

    /// <summary>Where its edge is to send it. Of no background job: who takes its message claims it.</summary>
    [JsonIgnore]
    public JobPlacement Placement { get; init; } = JobPlacement.Anywhere;

    /// <summary>Only bring the model into memory; there is no prompt and no answer.</summary>
    public bool LoadOnly { get; init; }

    /// <summary>Only have the model leave memory: what its owner does with all workers that hold it, and no worker with the job.</summary>
    [JsonIgnore]
    public bool UnloadOnly => LoadOnly && KeepAlive == TimeSpan.Zero;

    /// <summary>What is known of its prompt serves other tenants' jobs, and theirs it; otherwise it stays within <see cref="Tenant"/>: how much was known is told, and it takes less time.</summary>
    public bool SharesPrompts { get; init; }

    /// <summary>The prompt as the model reads it, template applied; empty with <see cref="Forward"/>.</summary>
    public required string Prompt { get; init; }

    /// <summary>What its client says that the answer is, more or less: where it is, it takes fewer steps. It is the same with any, and without; null: nothing is said.</summary>
    public string? Prediction { get; init; }

    /// <summary>What to ask the server of a model that workers forward to; null for a model of the cluster's own.</summary>
    public ForwardedPrompt? Forward { get; init; }

    public required InferenceOptions Options { get; init; }

    /// <summary>Sampling is a function of this and the token's position.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How long the model is to stay in memory after this; null: as before, at first the worker's default. Zero: not at all; infinite: for good.</summary>
    public TimeSpan? KeepAlive { get; init; }

    /// <summary><see cref="KeepAlive"/> lengthens the model's stay if it can, and never shortens it: the model is not its caller's alone. Nobody is told of an unload then.</summary>
    public bool OnlyLengthensStay { get; init; }

    /// <summary>Texts to embed instead of a prompt to answer; null: an answer is wanted.</summary>
    public IReadOnlyList<string>? EmbedInputs { get; init; }

    /// <summary>With <see cref="EmbedInputs"/>: a text longer than the context is cut; otherwise it is an error.</summary>
    public bool Truncate { get; init; }

    /// <summary>What to take apart in the text.</summary>
    public OutputParsing Parsing { get; init; } = OutputParsing.None;

    /// <summary>Strings that end the answer and are not part of it. The assembler looks for them, at the owner.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>What it may take from its owner's taking it on to its end.</summary>
    public required TimeSpan Deadline { get; init; }
}
