using System.ComponentModel.DataAnnotations;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>From the configuration section <c>OllamaMax:Keys</c>.</summary>
public sealed class KeyOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Keys";

    /// <summary>
    /// A whole key, <c>omx_&lt;16 hex digits&gt;_&lt;64 hex digits&gt;</c>, that is an admin's besides those in storage: what makes the first ones where nobody
    /// sees a first start. For a secret store (Key Vault) to fill in; null: there is none.
    /// </summary>
    public string? AdminKey { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AdminKey is { Length: > 0 } text && !ApiKey.TryParse(text, out _))
            yield return new($"{Section}:AdminKey is not omx_, 16 lower-case hex digits, _, and 64 more");
    }
}
