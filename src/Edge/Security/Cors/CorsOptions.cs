using System.ComponentModel.DataAnnotations;

namespace OllamaMax.Edge.Security.Cors;

/// <summary>Web pages from elsewhere that may call; from the configuration section <c>OllamaMax:Cors</c>.</summary>
public sealed class CorsOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Cors";

    /// <summary>Origins as browsers write them, <c>https://app.example.org</c>; none by default.</summary>
    public IList<string> Origins { get; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Origins.Where(origin => !IsOrigin(origin)).Select(origin => new ValidationResult($"{Section}:Origins: '{origin}' is not scheme://host[:port]"));

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 && string.Equals(text, uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);
}
