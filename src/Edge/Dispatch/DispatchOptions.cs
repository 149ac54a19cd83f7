using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Edge.Dispatch;

public sealed class DispatchOptions : IValidatableObject
{
    /// <summary>Of the configuration.</summary>
    public const string Section = "OllamaMax:Dispatch";

    /// <summary>Jobs of one model that may wait at this edge; what comes then is refused with 503 and a Retry-After.</summary>
    [Range(0, 100_000)]
    public int MaxBacklog { get; set; } = 128;

    /// <summary>Workers that are told of a waiting job, each time.</summary>
    [Range(1, 1000)]
    public int NudgedWorkers { get; set; } = 8;

    /// <summary>Bytes of JSON up to which a job travels inside its message; larger ones go by blob. SignalR takes 1 MB a message.</summary>
    [Range(1, 900_000)]
    public int MaxInlineBytes { get; set; } = 262_144;

    /// <summary>How long a request waits for a model that workers forward to while none of them offers it (<see cref="AwayServers"/>).</summary>
    [TimeSpanRange("00:00:00", "1.00:00:00")]
    public TimeSpan ServerWait { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Prompts and answers are encrypted between this edge and the worker, and where they lie (docs/security.md), so that neither SignalR nor storage can read them. Needs a content key
    /// (<see cref="Security.Sealing.ContentKeyOptions"/>). Workers must be of a version that knows how; an older one's attempts fail.
    /// </summary>
    public bool EncryptPayloads { get; set; }

    public OwnerOptions Owner { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Owner.EchoTimeout >= Owner.SilenceTimeout)
            yield return new($"{nameof(Owner.EchoTimeout)} is {Owner.EchoTimeout}; it must be below {nameof(Owner.SilenceTimeout)}, {Owner.SilenceTimeout}.");
        if (Owner.EchoInterval >= Owner.EchoTimeout)
            yield return new($"{nameof(Owner.EchoInterval)} is {Owner.EchoInterval}; it must be below {nameof(Owner.EchoTimeout)}, {Owner.EchoTimeout}.");
    }
}
