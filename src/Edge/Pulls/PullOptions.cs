using System.ComponentModel.DataAnnotations;
using System.Net;
using OllamaMax.Diagnostics;

namespace OllamaMax.Edge.Pulls;

/// <summary>Where models are pulled from, and how patiently; from the configuration section <c>OllamaMax:Pull</c>.</summary>
public sealed class PullOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Pull";

    /// <summary>Setting with a token of Hugging Face, where its own tools find one too (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables).</summary>
    public const string HuggingFaceSetting = "HF_TOKEN";

    /// <summary>
    /// <c>host=URL</c>: names of that host are asked for at that URL. Without one it is <c>https://</c> and the host itself. Plain http is spoken
    /// only to what stands here.
    /// </summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>
    /// Whether any address may be asked, those of this machine, its network and its cloud too. Without that only what stands in <see cref="Hosts"/> or <see cref="Sources"/> may have
    /// such an address: who can pull could otherwise have this server look where only it can.
    /// </summary>
    public bool AllowPrivateAddresses { get; set; }

    /// <summary>What hosts are shown that hand out models to whom they know alone. Their addresses, too, may be any.</summary>
    public IList<SourceCredential> Sources { get; } = [];

    /// <summary>Failures in a row, without anything worthwhile in between, before a pull gives up; the next one goes on where it was.</summary>
    [Range(1, 100)]
    public int MaxFailures { get; set; } = 6;

    /// <summary>Silence of a source that counts as a failure.</summary>
    [TimeSpanRange("00:00:01", "00:10:00")]
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The wait after the first failure, unless the source says how long; it doubles with each.</summary>
    [TimeSpanRange("00:00:00.001", "00:01:00")]
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait, whatever the source asks for.</summary>
    [TimeSpanRange("00:00:01", "01:00:00")]
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// What one edge does at a time of a pull that nobody has to follow, where it cannot be interrupted without loss, or is not fetching. Below what a function may last (<c>functionTimeout</c> in host.json), which
    /// is ended with its whole process, and with everybody's answers there.
    /// </summary>
    [TimeSpanRange("00:01:00", "7.00:00:00")]
    public TimeSpan LongestSlice { get; set; } = TimeSpan.FromMinutes(20);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Hosts.Where(entry => Parse(entry) is null)
            .Select(entry => new ValidationResult($"{Section}:Hosts: '{entry}' is not host=URL with an http or https URL"))
            .Concat(Sources.SelectMany(source => source.Validate($"{Section}:Sources")))
            .Concat(Sources.GroupBy(source => HuggingFace.Has(source.Host) ? HuggingFace.Host : source.Host, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1)
                .Select(same => new ValidationResult($"{Section}:Sources: '{same.Key}' is there more than once")))
            .Concat(Hosts.Select(Parse).Where(entry => entry?.Base.Scheme == Uri.UriSchemeHttp && !entry.Base.IsLoopback && Sources.Any(source => source.IsOf(entry.Base)))
                .Select(entry => new ValidationResult($"{Section}:Sources: '{entry!.Base.Authority}' is asked by http, over which nothing secret goes")));

    /// <summary>A token for Hugging Face, unless one is set by <see cref="Sources"/>.</summary>
    internal void AddHuggingFace(string? token)
    {
        if (!string.IsNullOrWhiteSpace(token) && !Sources.Any(source => HuggingFace.Has(source.Host)))
            Sources.Add(new() { Host = HuggingFace.Host, Token = token });
    }

    /// <summary>What is shown there; null: nothing.</summary>
    internal SourceCredential? CredentialFor(Uri address) => Sources.FirstOrDefault(source => source.IsFor(address));

    /// <summary>Where names of that host are asked for.</summary>
    internal Uri BaseOf(string host) =>
        Hosts.Select(Parse).FirstOrDefault(entry => string.Equals(entry?.Host, host, StringComparison.OrdinalIgnoreCase))?.Base ?? new Uri($"https://{host}");

    /// <summary>Whether this address may be asked: what says who a model is from must not be changed on its way.</summary>
    internal bool Allows(Uri address) => address.Scheme == Uri.UriSchemeHttps
        || (address.Scheme == Uri.UriSchemeHttp && IsKnown(address));

    /// <summary>Whether a connection may go there, whatever name led to it.</summary>
    internal bool Allows(Uri address, IPAddress to) => AllowPrivateAddresses || PublicAddresses.Contain(to) || IsKnown(address) || Sources.Any(source => source.GetsTokensAt(address));

    private bool IsKnown(Uri address) =>
        Hosts.Select(Parse).Any(entry => entry?.Base is { } known && known.Scheme == address.Scheme && known.Authority == address.Authority);

    private static KnownHost? Parse(string entry)
    {
        int end = entry.IndexOf('=', StringComparison.Ordinal);
        return end > 0 && Uri.TryCreate(entry[(end + 1)..], UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? new(entry[..end], url)
            : null;
    }

    private sealed record KnownHost(string Host, Uri Base);
}
