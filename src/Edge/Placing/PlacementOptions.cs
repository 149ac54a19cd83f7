using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using OllamaMax.Models;

namespace OllamaMax.Edge.Placing;

/// <summary>
/// Placement by model; from the configuration section <c>OllamaMax:Placement</c>, which has <c>Default</c> for all models and <c>Models</c> for what is different for
/// some: <c>OllamaMax:Placement:Models:qwen:7b:Labels = "gpu=a100"</c>. What a model does not say, <c>Default</c> says for it. Checked at start, all errors at once.
/// </summary>
public sealed class PlacementOptions : IValidatableObject
{
    public const string Section = "OllamaMax:Placement";

    private readonly List<string> _unknown = [];

    public ModelPlacement Default { get; } = new() { Policy = ModelPlacement.PrefixAffinity };

    /// <summary>By the model's own name; an alias is placed as the model that it stands for.</summary>
    public IDictionary<string, ModelPlacement> Models { get; } = new Dictionary<string, ModelPlacement>(StringComparer.OrdinalIgnoreCase);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        List<ValidationResult> errors = [.. _unknown.Select(error => new ValidationResult(error)), .. Default.Errors($"{Section}:Default")];
        foreach (var (model, placement) in Models)
        {
            if (!ModelName.TryParse(model, out _, out string? error))
                errors.Add(new($"{Section}:Models: {error}."));
            errors.AddRange(placement.Errors($"{Section}:Models:{model}"));
        }
        return errors;
    }

    internal void Read(IConfiguration configuration)
    {
        IConfigurationSection section = configuration.GetSection(Section);
        section.GetSection(nameof(Default)).Bind(Default);
        // A tag's colon separates sections too: the last one is the setting, what stands before it the model.
        foreach (var (path, value) in section.GetSection(nameof(Models)).AsEnumerable(makePathsRelative: true))
        {
            if (value is null || path.LastIndexOf(':') is not (> 0 and var colon))
                continue;
            string model = path[..colon];
            if (!Models.TryGetValue(model, out ModelPlacement? placement))
                Models.Add(model, placement = new ModelPlacement());
            if (!placement.TrySet(path[(colon + 1)..], value))
                _unknown.Add($"{Section}:Models:{path} is no setting; there are Policy, Labels and MinVersion.");
        }
    }
}
