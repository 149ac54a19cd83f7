using System.ComponentModel.DataAnnotations;
using OllamaMax.Diagnostics;

namespace OllamaMax.Edge.Webhooks;

/// <summary>Whom to tell what an operator must know; from the configuration section <c>OllamaMax:Webhooks</c>. Without an address nobody is told.</summary>
public sealed class WebhookOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Webhooks";

    private const string SecretPrefix = "whsec_";
    private const int LeastSecret = 24;

    /// <summary>http(s) addresses; each is sent everything.</summary>
    public IList<string> Urls { get; } = [];

    /// <summary>What is sent is signed with it: at least 24 bytes in base64, with <c>whsec_</c> before them or without.</summary>
    public string? Secret { get; set; }

    /// <summary>For so long the same is not told again of the same key, model or job.</summary>
    [TimeSpanRange("00:00:01", "30.00:00:00")]
    public TimeSpan RepeatAfter { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How often one thing is tried to be sent, 1 s after the first time and then after twice as long each time, up to 5 min.</summary>
    [Range(1, 100)]
    public int Tries { get; set; } = 10;

    /// <summary>Empty where the secret is none.</summary>
    internal byte[] SecretBytes
    {
        get
        {
            string text = Secret ?? "";
            if (text.StartsWith(SecretPrefix, StringComparison.Ordinal))
                text = text[SecretPrefix.Length..];
            byte[] bytes = new byte[text.Length];
            return Convert.TryFromBase64String(text, bytes, out int length) ? bytes[..length] : [];
        }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string text in Urls)
        {
            if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
                yield return new($"{Section}:{nameof(Urls)}: '{text}' is no http(s) address.");
        }
        if (Urls.Count > 0 && SecretBytes.Length < LeastSecret)
            yield return new($"{Section}:{nameof(Secret)} must be at least {LeastSecret} bytes in base64.");
    }
}
