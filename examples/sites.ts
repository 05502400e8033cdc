import { install, type Hostwright } from "@hostwright/core";
import { drupal } from "@hostwright/platform-drupal";
import { wordpress } from "@hostwright/platform-wordpress";

export async function sites(hw: Hostwright): Promise<void> {
  const blog = wordpress.site({ locale: "en_US", tablePrefix: "wp_" });
  await hw.run(install("blog.example.com", { platform: "wp-6.8", options: blog, title: "Blog" }));

  const shop = drupal.site({ profile: "standard", langcode: "en" });
  await hw.run(install("shop.example.com", { platform: "drupal-11", options: shop, limits: { uploadMegabytes: 256 } }));
}
