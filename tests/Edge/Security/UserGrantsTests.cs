using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using OllamaMax.Edge.Security.Oidc;
using OllamaMax.Security;

namespace OllamaMax.Edge.Tests.Security;

public sealed class UserGrantsTests
{
    /// <summary>As an operator says it: by a group's id, which no setting's name can hold everywhere, by a role's value, and for everybody.</summary>
    private static readonly OidcOptions Options = Bind(new()
    {
        ["Roles:Model.User"] = "user",
        ["Groups:Default:TokensPerDay"] = "1000",
        ["Groups:Default:RequestsPerMinute"] = "60",
        ["Groups:Default:Models:0"] = "small*",
        ["Groups:research:Value"] = "0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10",
        ["Groups:research:Role"] = "user",
        ["Groups:research:TokensPerDay"] = "50000",
        ["Groups:research:Models:0"] = "large",
        ["Groups:interns:TokensPerDay"] = "100",
        ["Groups:platform:Role"] = "operator",
    });

    [Fact]
    public void Of_NoGroup_HasWhatEverybodyHas()
    {
        UserGrant grant = new UserGrants(Options).Of(["Model.User"], []);

        grant.Limits.ShouldBe(new UsageLimits { TokensPerDay = 1000, RequestsPerMinute = 60 });
        grant.Models.Patterns.ShouldBe(["small*"]);
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    [Fact]
    public void Of_Group_ItsOwnComesBeforeEverybodys()
    {
        UserGrant grant = new UserGrants(Options).Of([], ["0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10"]);

        grant.Limits.ShouldBe(new UsageLimits { TokensPerDay = 50000, RequestsPerMinute = 60 });
        grant.Models.Patterns.ShouldBe(["large"]);
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    [Fact]
    public void Of_SeveralGroups_AllModelsAndTheHighestOfEachLimit()
    {
        UserGrant grant = new UserGrants(Options).Of(["interns"], ["0f8b6b7e-9a4c-4a52-8e53-1f3f0c5f7e10"]);

        grant.Limits.TokensPerDay.ShouldBe(50000);
        grant.Models.Patterns.ShouldBe(["large", "small*"], ignoreOrder: true);
    }

    [Fact]
    public void Of_GroupThatIsLowerThanEverybody_IsHeldLower() => new UserGrants(Options).Of([], ["interns"]).Limits.TokensPerDay.ShouldBe(100);

    /// <summary>Names of models hold nobody who can copy one onto another name.</summary>
    [Fact]
    public void Of_GroupThatManagesModels_HasThemAll() => new UserGrants(Options).Of([], ["platform"]).Models.IsAll.ShouldBeTrue();

    [Fact]
    public void Of_NothingIsSaid_IsNotLimited()
    {
        UserGrant grant = new UserGrants(new() { DefaultRole = "user" }).Of([], ["any"]);

        grant.Limits.IsNone.ShouldBeTrue();
        grant.Models.IsAll.ShouldBeTrue();
        grant.Permissions.ShouldBe(Roles.PermissionsOf(Role.User));
    }

    [Theory]
    [InlineData("Groups:a:Role", "boss", "'boss' is no role")]
    [InlineData("Groups:a:TokensPerDay", "-1", "OllamaMax:Oidc:Groups:a: ")]
    [InlineData("Groups:a:Models:0", "a b", "OllamaMax:Oidc:Groups:a:Models: ")]
    [InlineData("Groups:default:Role", "user", "OllamaMax:Oidc:Groups:default is for all users")]
    public void Options_ThatCannotBe_AreRefused(string setting, string value, string error)
    {
        OidcOptions options = Bind(new() { [setting] = value });

        options.Validate(new ValidationContext(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain(error);
    }

    private static OidcOptions Bind(Dictionary<string, string?> settings)
    {
        OidcOptions options = new();
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(options);
        return options;
    }
}
