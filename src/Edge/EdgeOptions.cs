using Microsoft.Extensions.Configuration;

namespace OllamaMax.Edge;

/// <summary>How an edge answers; the amounts, the times and the version from the configuration section <c>OllamaMax:Edge</c>. Checked at start, all errors at once (<see cref="EdgeOptionsValidator"/>).</summary>
public sealed class EdgeOptions
{
    public const string Section = "OllamaMax:Edge";

    /// <summary>
    /// Whether callers on this machine are one principal with every permission. False unless a composition that listens on loopback
    /// only says so: behind a proxy on the same machine (the Functions host is one) every caller seems to be local.
    /// </summary>
    public bool TrustLoopback { get; set; }

    /// <summary>Names in the Host header that are answered, loopback addresses besides; <c>*</c>: all. Guards against DNS rebinding.</summary>
    public IList<string> AllowedHosts { get; } = ["localhost", "host.docker.internal"];

    /// <summary>Most bytes of a request's body: 1 KiB to 1 GiB.</summary>
    public long MaxBodyBytes { get; set; } = 32 << 20;

    /// <summary>Most images of a request: 1 to 10,000.</summary>
    public int MaxImages { get; set; } = 100;

    /// <summary>Most bytes of an image, decoded: 1 KiB to 1 GiB.</summary>
    public long MaxImageBytes { get; set; } = 20 << 20;

    /// <summary>Bytes of a body over the limit that are read and thrown away, so that the client comes to read the answer: 0 to 1 GiB.</summary>
    public long MaxDrainBytes { get; set; } = 64 << 20;

    /// <summary>Most bytes of a blob sent to <c>/api/blobs</c>, at least 1 MiB; null: as many as come. A Functions host cuts bodies at 100 MB.</summary>
    public long? MaxBlobBytes { get; set; }

    /// <summary>What a job may take from its start to its end: 1 s to 24 h.</summary>
    public TimeSpan JobDeadline { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>A streamed answer's headers leave after this wait, even if no worker has accepted the job: 0 to 200 s.</summary>
    public TimeSpan HeaderDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence after which a streamed answer gets a line without text, or a comment: 1 s to 200 s (proxies cut at 230 s).</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Silence after which an answer in one piece gets a space. It commits the status to 200, so later than a stream's: 1 s to 220 s.
    /// </summary>
    public TimeSpan SilenceLimit { get; set; } = TimeSpan.FromSeconds(200);

    /// <summary>How long an answer stays under its Idempotency-Key, from its end: 1 s to 24 h.</summary>
    public TimeSpan IdempotencyLifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a keyed run goes on without a client: 0 to 5 min.</summary>
    public TimeSpan IdempotencyGrace { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Memory for kept answers, the least recently used ones go first: 64 KiB to 16 GiB.</summary>
    public long IdempotencyBytes { get; set; } = 64 << 20;

    /// <summary>
    /// Whether a prompt that a worker has read for one tenant saves the reading for another's that begins alike. Whoever asks is told how much was known, and sees it in the time: so only for
    /// tenants that may know each other's prompts.
    /// </summary>
    public bool SharePrompts { get; set; }

    /// <summary>
    /// The version of Ollama that <c>/api/version</c> tells; clients switch features on by it (<c>/v1/responses</c> came with 0.13.3, <c>/v1/messages</c> with 0.14.0), and some warn of older ones. The default is
    /// the last one that this API was held against, route by route: what is not here answers so that a client of that version understands it.
    /// </summary>
    public string OllamaVersion { get; set; } = "0.33.0";

    /// <summary>Whom an edge trusts is for its composition to say, which knows who can call: no setting.</summary>
    internal void Read(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection(Section);
        MaxBodyBytes = section.GetValue(nameof(MaxBodyBytes), MaxBodyBytes);
        MaxImages = section.GetValue(nameof(MaxImages), MaxImages);
        MaxImageBytes = section.GetValue(nameof(MaxImageBytes), MaxImageBytes);
        MaxDrainBytes = section.GetValue(nameof(MaxDrainBytes), MaxDrainBytes);
        MaxBlobBytes = section.GetValue(nameof(MaxBlobBytes), MaxBlobBytes);
        JobDeadline = section.GetValue(nameof(JobDeadline), JobDeadline);
        HeaderDelay = section.GetValue(nameof(HeaderDelay), HeaderDelay);
        HeartbeatInterval = section.GetValue(nameof(HeartbeatInterval), HeartbeatInterval);
        SilenceLimit = section.GetValue(nameof(SilenceLimit), SilenceLimit);
        IdempotencyLifetime = section.GetValue(nameof(IdempotencyLifetime), IdempotencyLifetime);
        IdempotencyGrace = section.GetValue(nameof(IdempotencyGrace), IdempotencyGrace);
        IdempotencyBytes = section.GetValue(nameof(IdempotencyBytes), IdempotencyBytes);
        SharePrompts = section.GetValue(nameof(SharePrompts), SharePrompts);
        OllamaVersion = section[nameof(OllamaVersion)] ?? OllamaVersion;
    }
}
