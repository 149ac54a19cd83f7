using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Placing;
using OllamaMax.Edge.Tenants;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Models;
using OllamaMax.Placement;

namespace OllamaMax.Edge.Tests.Placing;

public sealed class PlacementOptionsTests
{
    private readonly TenantOptions _tenants = new();

    [Fact]
    public void Of_ModelWithItsOwn_TakesTheRestFromTheDefault()
    {
        PlacementRules rules = Rules(
            ("OllamaMax:Placement:Default:MinVersion", "0.1.0"),
            ("OllamaMax:Placement:Models:qwen:7b:Policy", "least-loaded"),
            ("OllamaMax:Placement:Models:qwen:7b:Labels", "gpu=a100"));

        PlacementRule own = rules.Of(Model("qwen:7b"), "a");
        PlacementRule other = rules.Of(Model("qwen:4b"), "a");

        own.Policy.ShouldBeOfType<LeastLoadedPolicy>();
        own.Labels.ToString().ShouldBe("gpu=a100");
        own.MinVersion.ShouldBe(new Version(0, 1, 0));
        own.ModelBytes.ShouldBe(900);
        other.Policy.ShouldBeOfType<PrefixAffinityPolicy>();
        other.Labels.IsNone.ShouldBeTrue();
        other.MinVersion.ShouldBe(new Version(0, 1, 0));
        // Lines of workers are kept by rule: the same one for all jobs that it applies to.
        rules.Of(Model("QWEN:7b"), "b").ShouldBeSameAs(own);
        rules.KeepAnybodyAway.ShouldBeTrue();
    }

    [Fact]
    public void Of_TenantWithLabels_AsksForThemBesideTheModels()
    {
        _tenants.Limits["acme"] = new TenantLimits { Labels = "site=berlin" };
        PlacementRules rules = Rules(("OllamaMax:Placement:Models:demo:Labels", "gpu=a100"));

        rules.Of(Model("demo"), "acme").Labels.ToString().ShouldBe("gpu=a100, site=berlin");
        rules.Of(Model("demo"), "other").Labels.ToString().ShouldBe("gpu=a100");
        rules.Of(Model("demo"), tenant: null).Labels.ToString().ShouldBe("gpu=a100");
    }

    [Fact]
    public void Of_DigestWithTwoNames_IsThatOfTheNameWithARule()
    {
        PlacementRules rules = Rules(("OllamaMax:Placement:Models:second:Labels", "gpu=a100"));
        ModelView[] listed = [Model("first"), Model("second")];

        rules.Of(FixedModels.Weights, listed, "a").Labels.ToString().ShouldBe("gpu=a100");
        rules.Of("sha256:unknown", listed, "a").IsRestricted.ShouldBeFalse();
    }

    [Fact]
    public void KeepAnybodyAway_NothingConfigured_IsFalse() => Rules().KeepAnybodyAway.ShouldBeFalse();

    [Theory]
    [InlineData("Default:Policy", "fastest", "OllamaMax:Placement:Default:Policy is 'fastest', neither prefix-affinity nor least-loaded.")]
    [InlineData("Models:qwen:7b:MinVersion", "new", "OllamaMax:Placement:Models:qwen:7b:MinVersion is 'new', not a version such as 0.2.0.")]
    [InlineData("Models:qwen:7b:Label", "gpu=a100", "OllamaMax:Placement:Models:qwen:7b:Label is no setting; there are Policy, Labels and MinVersion.")]
    public void Validate_Wrong_SaysWhat(string setting, string value, string error) =>
        Errors(Read(($"OllamaMax:Placement:{setting}", value))).ShouldContain(error);

    [Fact]
    public void Validate_LabelsOfModelAndTenant_AreChecked()
    {
        _tenants.Limits["acme"] = new TenantLimits { Labels = "berlin" };

        Errors(Read(("OllamaMax:Placement:Default:Labels", "gpu"))).ShouldHaveSingleItem().ShouldContain("'gpu' is no label");
        Errors(_tenants).ShouldHaveSingleItem().ShouldContain("'berlin' is no label");
    }

    private static ModelView Model(string name) => FixedModels.Able with { Name = ModelName.Parse(name) };

    private static PlacementOptions Read(params (string Key, string Value)[] settings)
    {
        PlacementOptions options = new();
        options.Read(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build());
        return options;
    }

    private static string[] Errors(IValidatableObject options) => [.. options.Validate(new ValidationContext(options)).Select(error => error.ErrorMessage!)];

    private PlacementRules Rules(params (string Key, string Value)[] settings) => new(Options.Create(Read(settings)), Options.Create(_tenants), new Random(1));
}
