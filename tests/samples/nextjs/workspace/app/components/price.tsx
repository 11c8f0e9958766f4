export { Price } from "@acme/ui"
