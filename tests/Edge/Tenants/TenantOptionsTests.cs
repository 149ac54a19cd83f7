using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using OllamaMax.Edge.Tenants;

namespace OllamaMax.Edge.Tests.Tenants;

public sealed class TenantOptionsTests
{
    private const string Entra = "0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10";

    /// <summary>A setting of a Linux function app cannot have a GUID in its name.</summary>
    [Theory]
    [InlineData(Entra, 4)]
    [InlineData("0F8B6B7E-9A4C-4A52-8E53-1F3F0C5F7E10", 4)]
    [InlineData("acme", 3)]
    [InlineData("contoso", 2)]
    public void Of_TenantByNameOrValue_HasItsOwn(string tenant, double weight)
    {
        TenantOptions options = Bind(new() { ["Default:Weight"] = "2", ["acme:Weight"] = "3", ["contoso:Value"] = Entra, ["contoso:Weight"] = "4" });

        options.Of(tenant).Weight.ShouldBe(weight);
        Errors(options).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("acme:Value", "a b", "OllamaMax:Tenants:acme: Value 'a b' is no tenant's name")]
    [InlineData("acme:Value", "", "OllamaMax:Tenants:acme: Value '' is no tenant's name")]
    [InlineData("Default:Value", "acme", "OllamaMax:Tenants:Default: Value 'acme' cannot be given: the entry is for everybody")]
    [InlineData("acme:Value", "Contoso", "OllamaMax:Tenants: two entries are of the tenant 'contoso'")]
    public void Validate_ValueThatCannotBe_IsRefused(string setting, string value, string error) =>
        Errors(Bind(new() { ["contoso:Weight"] = "1", [setting] = value })).ShouldBe([error], StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<string?> Errors(TenantOptions options) => options.Validate(new ValidationContext(options)).Select(error => error.ErrorMessage);

    private static TenantOptions Bind(Dictionary<string, string?> settings)
    {
        TenantOptions options = new();
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(options.Limits);
        return options;
    }
}
