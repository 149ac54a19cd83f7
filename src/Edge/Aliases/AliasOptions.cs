using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

namespace OllamaMax.Edge.Aliases;

/// <summary>
/// Names that stand for other models, so that tools with fixed names work; from the configuration section <c>OllamaMax:Aliases</c>:
/// <c>OllamaMax:Aliases:gpt-4o-mini = "qwen:7b, demo"</c>. Where a setting's name cannot hold a model's, the section's own value says all of them:
/// <c>OllamaMax:Aliases = "gpt-4o-mini=qwen:7b,demo; gpt-4o=qwen:72b"</c>. Checked at start, all errors at once.
/// </summary>
public sealed class AliasOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Aliases";

    /// <summary>By alias: names of models or of other aliases, separated by commas, the one to take first in front.</summary>
    public IDictionary<string, string> Chains { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds what is written as <c>alias=model,model</c>, several separated by semicolons. What came before for an alias is replaced.</summary>
    public void Add(string text)
    {
        foreach (string one in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = one.IndexOf('=', StringComparison.Ordinal);
            // Without a sign it is an alias of nothing: the check says so.
            (string alias, string chain) = equals < 0 ? (one, "") : (one[..equals].Trim(), one[(equals + 1)..]);
            Chains[alias] = chain;
        }
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        new AliasChains(Chains).Errors.Select(error => new ValidationResult(error));

    internal void Read(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection(Section);
        Add(section.Value ?? "");
        // A tag's colon separates sections too: below this one, the path is the alias.
        foreach (var (alias, chain) in section.AsEnumerable(makePathsRelative: true))
        {
            if (chain is not null)
                Chains[alias] = chain;
        }
    }
}
