using System.Collections.ObjectModel;
using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker;

/// <summary>How a worker runs; from the command line.</summary>
public sealed record WorkerOptions
{
    /// <summary>Where a join token may stand instead of on the command line, which every process of the box can read.</summary>
    public const string JoinTokenVariable = "OLLAMAMAX_JOIN_TOKEN";

    /// <summary>Where to enrol and to renew capabilities.</summary>
    [Required]
    public required Uri Edge { get; init; }

    /// <summary>A PEM file with certificates of authorities that may have signed the edge's, beside those that this box's system trusts; null: these alone.</summary>
    public string? Authority { get; init; }

    /// <summary>Needed once, on a box that is not enrolled.</summary>
    public string? JoinToken { get; init; }

    /// <summary>Identity and key of this worker, and its replicas unless <see cref="Replicas"/> says otherwise.</summary>
    [Required]
    public required string Data { get; init; }

    /// <summary>Folder of the model replicas; workers of one box may share it.</summary>
    public string? Replicas { get; init; }

    /// <summary>Bytes of disk for the replicas: beyond them the one unused for longest is deleted, but none that is in use or pinned. Null: the disk's end, and nothing is deleted.</summary>
    [Range(1, long.MaxValue), Display(Name = "--disk-budget")]
    public long? DiskBudget { get; init; }

    /// <summary>Shown to people; the host's name by default.</summary>
    [Required, StringLength(100, MinimumLength = 1), Display(Name = "--name")]
    public required string Name { get; init; }

    /// <summary>Where the box stands; jobs can be kept to it by the label <c>site</c>.</summary>
    [StringLength(WorkerLabels.Longest), Display(Name = "--site")]
    public string? Site { get; init; }

    /// <summary>What jobs can be kept to beside the site, such as <c>gpu=a100</c>; within the bounds of <see cref="WorkerLabels"/>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Jobs of a model decoded at once; null: as many as its memory has room for, 1 to <see cref="EngineOptions.MostSlots"/>.</summary>
    [Range(1, 64), Display(Name = "--slots")]
    public int? Slots { get; init; }

    /// <summary>Threads of the decoder; 0: half of the machine's.</summary>
    [Range(0, 1024), Display(Name = "--threads")]
    public int Threads { get; init; }

    /// <summary>Most tokens of context for a slot; a model trained for less gets less.</summary>
    [Range(64, 1_048_576), Display(Name = "--context")]
    public int ContextLength { get; init; } = 4096;

    /// <summary>
    /// Arithmetic that does not depend on what else is decoded: an F32 cache and no flash attention. Slower, and what makes a continued
    /// answer equal to an undisturbed one, token for token.
    /// </summary>
    public bool Exact { get; init; }

    /// <summary>How keys and values of past tokens are kept; without <see cref="Exact"/>.</summary>
    public CacheType CacheType { get; init; } = CacheType.F16;

    /// <summary>Whether attention is computed in one pass; without <see cref="Exact"/>.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>Layers in GPU memory; -1: all, null: as many as are room for.</summary>
    [Range(-1, 1000), Display(Name = "--gpu-layers")]
    public int? GpuLayers { get; init; }

    /// <summary>Models in memory at once; the one unused for longest makes way.</summary>
    [Range(1, 64), Display(Name = "--models")]
    public int LoadedModels { get; init; } = 3;

    /// <summary>Bytes of memory for all models together, of GPUs or not; null: most of what the machine has.</summary>
    [Range(1, long.MaxValue), Display(Name = "--memory")]
    public long? Memory { get; init; }

    /// <summary>Finished prompts that stay for the next one that begins alike, of each model; 0: no prompt is used for another.</summary>
    [Range(0, EngineOptions.MostCachedPrompts), Display(Name = "--kept-prompts")]
    public int KeptPrompts { get; init; } = new EngineOptions().CachedPrompts;

    /// <summary>Most bytes of the machine's memory that each model has for beginnings of prompts, beside <see cref="Memory"/>; 0: none, null: its part of <see cref="EngineOptions.PrefixBytes"/>.</summary>
    [Range(0, long.MaxValue), Display(Name = "--prompt-cache")]
    public long? PromptCache { get; init; }

    /// <summary>Most tokens of an answer that are guessed ahead in a step; 0: none.</summary>
    [Range(0, EngineOptions.MostDraftTokens), Display(Name = "--draft-tokens")]
    public int DraftTokens { get; init; } = new EngineOptions().DraftTokens;

    /// <summary>How long a model stays unused, where requests do not say; negative: for good.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Models in the worker's own process instead of one of their own each: a little less memory, and a crash of the native library takes
    /// the worker and all its jobs with it.
    /// </summary>
    public bool InProcess { get; init; }

    /// <summary>
    /// A decoder that makes no step for this long while it has jobs hangs, and its process is killed. Longer than owners wait for a step (20 s), and than
    /// the longest step that is no hang, a large batch of a prompt on a slow CPU.
    /// </summary>
    [TimeSpanRange("00:00:01", "01:00:00"), Display(Name = "--hang-seconds")]
    public TimeSpan HangTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>On SIGTERM: how long running jobs may take to finish before they are handed back.</summary>
    [TimeSpanRange("00:00:00", "01:00:00"), Display(Name = "--drain-seconds")]
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Where the edge refuses it: how long before it ends.</summary>
    [TimeSpanRange("00:00:00", "01:00:00"), Display(Name = "--refused-wait")]
    public TimeSpan RefusedWait { get; init; }

    /// <summary>Servers on this box, or near it, whose models are offered as well.</summary>
    public IReadOnlyList<ForwardTarget> Forward { get; init; } = [];

    /// <summary>Requests that each of these servers is given at once, beside <see cref="Slots"/>, which all jobs of this worker share.</summary>
    [Range(1, 256), Display(Name = "--forward-slots")]
    public int ForwardSlots { get; init; } = 4;

    public string ReplicaFolder => Replicas ?? Path.Combine(Data, "replicas");

    /// <exception cref="ArgumentException">Something is out of range; the message names all of it.</exception>
    public void Validate()
    {
        var errors = new List<ValidationResult>();
        Validator.TryValidateObject(this, new ValidationContext(this), errors, validateAllProperties: true);
        if (!WorkerLabels.AreValid(Labels))
            errors.Add(new($"A worker has at most {WorkerLabels.Most} labels; 'site' is none of them, --site says it."));
        if (Authority is { } authority && PrivateAuthority.FindError(authority) is { } unusable)
            errors.Add(new($"--ca {authority} cannot be used: {unusable}"));
        string[] messages = [.. errors.Select(error => error.ErrorMessage!), .. errors.Count == 0 ? EngineSettings.For(this).Validate() : []];
        if (messages.Length > 0)
            throw new ArgumentException(string.Join(" ", messages));
    }
}
